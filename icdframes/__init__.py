"""WHO classifications (ICD-11 MMS, ICF, foundation, ICD-10) as pandas DataFrames."""

__version__ = "0.1.0"
