"""The files that the agencies send: name, columns in order, encoding. One place for the whole package."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.periods import period_end

FORCE = "NORTHSHIRE"


@dataclass(frozen=True)
class Layout:
    """One file of an agency."""

    agency: str
    file: str
    name: str
    encoding: str
    header: tuple[str, ...]

    def file_name(self, period: str) -> str:
        """Return the file's name for a period YYYY-MM."""
        return self.name.format(
            period=period, compact=period.replace("-", ""), end=f"{period_end(period):%Y%m%d}", force=FORCE
        )

    def at(self, column: str) -> int:
        """Return the position of a column."""
        return self.header.index(column)


def _layout(agency: str, file: str, name: str, encoding: str, header: str) -> Layout:
    return Layout(agency, file, name, encoding, tuple(header.split(",")))


SSD_PERSON = _layout(
    "childrens_services", "ssd_person", "ssd_person_{period}.csv", "utf-8",
    "pers_legacy_id,pers_person_id,pers_upn,pers_forename,pers_surname,pers_sex,pers_gender,pers_ethnicity,pers_dob,"
    "pers_common_child_id,pers_upn_unknown,pers_send_flag,pers_expected_dob,pers_death_date,pers_is_mother,"
    "pers_nationality",
)  # fmt: skip
SSD_ADDRESS = _layout(
    "childrens_services", "ssd_address", "ssd_address_{period}.csv", "utf-8",
    "addr_table_id,addr_person_id,addr_address_type,addr_address_start_date,addr_address_end_date,"
    "addr_address_postcode,addr_address_json",
)  # fmt: skip
SSD_LINKED_IDENTIFIERS = _layout(
    "childrens_services", "ssd_linked_identifiers", "ssd_linked_identifiers_{period}.csv", "utf-8",
    "link_table_id,link_person_id,link_identifier_type,link_identifier_value,link_valid_from_date,"
    "link_valid_to_date",
)  # fmt: skip
SSD_CIN_EPISODES = _layout(
    "childrens_services", "ssd_cin_episodes", "ssd_cin_episodes_{period}.csv", "utf-8",
    "cine_referral_id,cine_person_id,cine_referral_date,cine_cin_primary_need_code,cine_referral_source_code,"
    "cine_referral_source_desc,cine_referral_outcome_json,cine_referral_nfa,cine_close_reason,cine_close_date,"
    "cine_referral_team,cine_referral_worker_id",
)  # fmt: skip
SSD_CP_PLANS = _layout(
    "childrens_services", "ssd_cp_plans", "ssd_cp_plans_{period}.csv", "utf-8",
    "cppl_cp_plan_id,cppl_referral_id,cppl_person_id,cppl_cp_plan_start_date,cppl_cp_plan_end_date,"
    "cppl_cp_plan_initial_category,cppl_cp_plan_latest_category",
)  # fmt: skip
SSD_MISSING = _layout(
    "childrens_services", "ssd_missing", "ssd_missing_{period}.csv", "utf-8",
    "miss_table_id,miss_person_id,miss_missing_episode_start_date,miss_missing_episode_type,"
    "miss_missing_episode_end_date,miss_missing_rhi_offered,miss_missing_rhi_accepted",
)  # fmt: skip
DEMOGRAPHICS = _layout(
    "health", "demographics", "PDS_DEMOGRAPHICS_{compact}.csv", "utf-8",
    "UNIQUE REFERENCE,NHS_NO,FAMILY_NAME,GIVEN_NAME,OTHER_GIVEN_NAME,GENDER,DATE_OF_BIRTH,DATE_OF_DEATH,"
    "ADDRESS_LINE1,ADDRESS_LINE2,ADDRESS_LINE3,ADDRESS_LINE4,ADDRESS_LINE5,ADDRESS_DATE,POSTCODE,GP_PRACTICE_CODE,"
    "NHAIS_POSTING_ID,AS_AT_DATE,LOCAL_PATIENT_ID,INTERNAL_ID,TELEPHONE_NUMBER,MOBILE_NUMBER,EMAIL_ADDRESS",
)  # fmt: skip
ED_ATTENDANCES = _layout(
    "health", "ed_attendances", "ED_ATTENDANCES_{compact}.csv", "utf-8",
    "EC_Ident,LOCAL_PATIENT_ID,NHS_NO,DATE_OF_BIRTH,POSTCODE,Provider_Code,Site_Code_Of_Treatment,"
    "EC_Department_Type,EC_AttendanceCategory,Arrival_Date,EC_Arrival_Mode_SNOMED_CT,"
    "EC_Attendance_Source_SNOMED_CT,EC_Chief_Complaint_SNOMED_CT,EC_Acuity_SNOMED_CT,EC_Injury_Intent_SNOMED_CT,"
    "Accommodation_Status_SNOMED_CT,EC_Conclusion_Date,EC_Discharge_Status_SNOMED_CT,Age_At_Arrival,Sex,"
    "Ethnic_Category,Der_Dupe_Flag",
)  # fmt: skip
PROTECTED = _layout(
    "health", "protected", "PROTECTED_{compact}.csv", "utf-8",
    "LOCAL_PATIENT_ID,CONFIDENTIALITY_CODE,EFFECTIVE_DATE",
)  # fmt: skip
MHS001_MPI = _layout(
    "mental_health", "mhs001", "MHS001MPI_{compact}.csv", "utf-8",
    "LocalPatientId,OrgIDLocalPatientId,OrgIDResidenceResp,OrgIDEduEstab,NHSNumber,NHSNumberStatus,"
    "PersonBirthDate,Postcode,GenderIDCode,GenderSameAtBirth,Gender,MaritalStatus,EthnicCategory,"
    "EthnicCategory2021,LanguageCodePreferred,PersDeathDate,RecordNumber",
)  # fmt: skip
MHS101_REFERRAL = _layout(
    "mental_health", "mhs101", "MHS101Referral_{compact}.csv", "utf-8",
    "ServiceRequestId,LocalPatientId,OrgIDComm,ReferralRequestReceivedDate,ReferralRequestReceivedTime,"
    "SourceOfReferralMH,PrimReasonReferralMH,ClinRespPriorityType,ServDischDate",
)  # fmt: skip
MHS201_CONTACT = _layout(
    "mental_health", "mhs201", "MHS201CareContact_{compact}.csv", "utf-8",
    "CareContactId,ServiceRequestId,CareContDate,CareContTime,ConsMechanismMH,AttendStatus",
)  # fmt: skip
MHS401_ACT_PERIOD = _layout(
    "mental_health", "mhs401", "MHS401MHActPeriod_{compact}.csv", "utf-8",
    "MHActLegalStatusClassPeriodId,LocalPatientId,StartDateMHActLegalStatusClass,StartTimeMHActLegalStatusClass,"
    "ExpiryDateMHActLegalStatusClass,EndDateMHActLegalStatusClass,EndTimeMHActLegalStatusClass,LegalStatusCode,"
    "MentalCat",
)  # fmt: skip
MHS501_SPELL = _layout(
    "mental_health", "mhs501", "MHS501HospProvSpell_{compact}.csv", "utf-8",
    "HospProvSpellID,ServiceRequestId,StartDateHospProvSpell,StartTimeHospProvSpell,SourceAdmCodeHospProvSpell,"
    "AdmMethCodeHospProvSpell,DischDateHospProvSpell,DischTimeHospProvSpell,DischDestCodeHospProvSpell",
)  # fmt: skip
NOMINAL = _layout(
    "police", "nominal", "{force}_NOMINAL_{end}.csv", "cp1252",
    "NominalRef,NameType,Title,Surname,Forename1,Forename2,Forename3,DateOfBirth,AgeFrom,AgeTo,Sex,"
    "EthnicAppearance,EthnicitySelfDefined,PncId,CroNumber,DriverNumber,NINo,Mobile,Email,AddressType,Address1,"
    "Address2,Address3,Address4,Address5,Postcode,UPRN,WarningFlags,Created,Updated",
)  # fmt: skip
OCCURRENCE = _layout(
    "police", "occurrence", "{force}_OCCURRENCE_{end}.csv", "cp1252",
    "OccurrenceRef,OccurrenceType,HOOffenceCode,CrimeRef,ReportedDateTime,FromDateTime,ToDateTime,LocationUPRN,"
    "Easting,Northing,DAFlag,HateFlag,OutcomeType,OutcomeDate",
)  # fmt: skip
INVOLVEMENT = _layout(
    "police", "involvement", "{force}_INVOLVEMENT_{end}.csv", "cp1252",
    "OccurrenceRef,NominalRef,Role,RelationshipToOther",
)  # fmt: skip
INCIDENTS = _layout(
    "fire_rescue", "incidents", "FRS_INCIDENTS_{compact}.csv", "utf-8",
    "IncidentNumber,DateOfCall,CalYear,TimeOfCall,HourOfCall,IncidentGroup,StopCodeDescription,SpecialServiceType,"
    "PropertyCategory,PropertyType,AddressQualifier,Postcode_full,Postcode_district,UPRN,USRN,IncGeo_BoroughCode,"
    "IncGeo_WardCode,Easting_m,Northing_m,Latitude,Longitude,FRS,IncidentStationGround",
)  # fmt: skip
CASUALTIES = _layout(
    "fire_rescue", "casualties", "FRS_CASUALTIES_{compact}.csv", "utf-8",
    "CasualtyRef,IncidentNumber,PersonSeq,Forename,Surname,Age,DOB,Gender,Ethnicity,HomeAddress,HomePostcode,"
    "HomeUPRN,Role,InjurySeverity",
)  # fmt: skip
VISITS = _layout(
    "fire_rescue", "visits", "FRS_VISITS_{compact}.csv", "utf-8",
    "VisitRef,Forename,Surname,DOB,Gender,Ethnicity,Address1,Address2,Town,Postcode,UPRN,Telephone,Mobile,Email,"
    "VisitDate,Outcome,Mobility,Hearing,Sight,Oxygen,Smoker,Notes",
)  # fmt: skip

LAYOUTS = (
    SSD_PERSON, SSD_ADDRESS, SSD_LINKED_IDENTIFIERS, SSD_CIN_EPISODES, SSD_CP_PLANS, SSD_MISSING,
    DEMOGRAPHICS, ED_ATTENDANCES, PROTECTED,
    MHS001_MPI, MHS101_REFERRAL, MHS201_CONTACT, MHS401_ACT_PERIOD, MHS501_SPELL,
    NOMINAL, OCCURRENCE, INVOLVEMENT,
    INCIDENTS, CASUALTIES, VISITS,
)  # fmt: skip
