"""The demo and `joinedup up`: a real Airflow, supervised from outside and spoken to over REST."""
