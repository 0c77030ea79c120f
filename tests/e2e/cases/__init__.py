"""The end-to-end cases, a file per subject. Importing one registers its cases."""
