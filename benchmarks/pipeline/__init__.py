"""The whole pipeline, from raw files to a live release, beside a plain one of pandas, COPY and Splink."""
