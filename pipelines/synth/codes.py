"""The codes that each agency uses for the same ethnic group, from domain notes section 4."""

from __future__ import annotations

from pipelines.synth.dice import Weighted

# canonical group -> (DfE four letters, NHS 2001, label, what an officer sees)
ETHNICITIES: dict[str, tuple[str, str, str, str]] = {
    "W1": ("WBRI", "A", "White British", "IC1"),
    "W2": ("WIRI", "B", "White Irish", "IC1"),
    "W3": ("WIRT", "C", "Traveller of Irish Heritage", "IC1"),
    "W5": ("WROM", "C", "Gypsy/Roma", "IC2"),
    "W9": ("WOTH", "C", "Any other White background", "IC1"),
    "M1": ("MWBC", "D", "White and Black Caribbean", "IC3"),
    "M2": ("MWBA", "E", "White and Black African", "IC3"),
    "M3": ("MWAS", "F", "White and Asian", "IC4"),
    "M9": ("MOTH", "G", "Any other mixed background", "IC9"),
    "A1": ("AIND", "H", "Indian", "IC4"),
    "A2": ("APKN", "J", "Pakistani", "IC4"),
    "A3": ("ABAN", "K", "Bangladeshi", "IC4"),
    "A4": ("CHNE", "R", "Chinese", "IC5"),
    "A9": ("AOTH", "L", "Any other Asian background", "IC4"),
    "B1": ("BCRB", "M", "Caribbean", "IC3"),
    "B2": ("BAFR", "N", "African", "IC3"),
    "B9": ("BOTH", "P", "Any other Black background", "IC3"),
    "O2": ("OOTH", "S", "Any other ethnic group", "IC6"),
    "O9": ("OOTH", "S", "Any other ethnic group", "IC6"),
    "NS": ("REFU", "Z", "Refused", "IC9"),
}
GUESSES = Weighted({"W1": 0.4, "W9": 0.25, "A9": 0.15, "B9": 0.1, "O9": 0.1})
POLICE_SELF_DEFINED = {"A4": "O1", "O2": "O2", "NS": "NS"}
