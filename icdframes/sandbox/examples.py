"""Example data for notebooks and tests: invented people, real codes; no number in them means anything."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING, Literal

from icdframes.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

_FILES = {"mms": "deaths.csv", "icd10": "deaths_icd10.csv"}


def example_deaths(classification: Literal["mms", "icd10"] = "mms") -> pd.DataFrame:
    """Give the shipped example of deaths.

    Parameters
    ----------
    classification : {"mms", "icd10"}, default "mms"
        Deaths of 2021 to 2024 coded with ICD-11, or of 2018 to 2020 coded with ICD-10.

    Returns
    -------
    pandas.DataFrame
        One row per invented person: person_id, date (datetime64), age_years (int64), sex,
        region and dx, the code of the underlying cause as somebody typed it: most are in
        the sandbox's newest release, some in 2022-02 only, and as in life there are
        clusters, lost dots, small letters, wrong codes and empty cells. No network.

    Raises
    ------
    ConfigurationError
        If there is no such example.

    Examples
    --------
    >>> deaths = example_deaths()
    >>> len(deaths), deaths.columns.tolist()
    (421, ['person_id', 'date', 'age_years', 'sex', 'region', 'dx'])

    """
    import pandas as pd  # noqa: PLC0415  the sandbox serves without pandas

    if classification not in _FILES:
        hint = did_you_mean(str(classification), _FILES)
        raise ConfigurationError(f"There is no example of deaths for {classification!r}: give 'mms' or 'icd10'.{hint}")
    file = resources.files("icdframes.sandbox") / "sample" / _FILES[classification]
    with file.open(encoding="utf-8") as lines:
        deaths = pd.read_csv(
            lines,
            dtype={"person_id": "str", "sex": "str", "region": "str", "dx": "str", "age_years": "int64"},
            keep_default_na=False,
            na_values=[""],
        )
    return deaths.assign(date=pd.to_datetime(deaths["date"], format="%Y-%m-%d"))
