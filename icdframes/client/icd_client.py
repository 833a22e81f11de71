"""The client: every verb of icdframes as a method."""

from __future__ import annotations

from icdframes.client.catalogue import CatalogueMethods
from icdframes.client.codes import CodeMethods
from icdframes.client.decoding import DecodingMethods
from icdframes.client.loading import LoadingMethods
from icdframes.client.mortality import MortalityMethods
from icdframes.client.release_files import ReleaseFileMethods
from icdframes.client.search import SearchMethods


class IcdClient(
    LoadingMethods,
    CatalogueMethods,
    SearchMethods,
    CodeMethods,
    DecodingMethods,
    MortalityMethods,
    ReleaseFileMethods,
):
    """A connection to an ICD API server, with its cache.

    Made by `icdframes.connect`. Nothing is sent before a verb is called, and a token
    is fetched only when an answer is not in the cache. Safe to use from
    several threads; usable as a context manager.

    Parameters
    ----------
    server : Server
        Where to ask.
    get_credentials : callable
        Returns the `Credentials` when the first token is needed.
    cache_dir : path, optional
        Folder of answers and snapshots; None is the user's cache folder.
    timeout : tuple of float
        Seconds to connect, seconds between two bytes.
    retries : int
        How often a failed request is sent again.
    max_workers : int, optional
        Requests under way at the same time; None begins with 8 and finds the number that the server bears.
    offline : bool
        Answer from the cache only.
    verify : str, optional
        File of a company's certificate authority.

    Attributes
    ----------
    server : Server
        Its ``name``, ``base_url`` and ``token_url``.
    max_workers : int
        Requests under way at the same time, at most.
    offline : bool
        Whether it answers from the cache only.

    Raises
    ------
    ConfigurationError
        If an option is out of range.

    Notes
    -----
    Network: none before the first verb; then what each method says.

    Examples
    --------
    >>> import icdframes
    >>> with icdframes.connect("sandbox") as client:
    ...     client.entity("1A00").title
    'Cholera'

    Every verb is a method; the function of its name calls it on the default client.

    >>> client = icdframes.connect("sandbox")
    >>> client.releases().release.tolist(), client.languages()
    (['2024-01', '2022-02'], ['en', 'es', 'fr'])
    >>> len(client.load_entity("1A00")), len(client.load_tables("1A00").terms)
    (1, 13)
    >>> client.entity_releases("1A00").release.tolist()
    ['2024-01', '2022-02']
    >>> client.search("cholera").code[0], client.search_tables("cholera").terms.label[0]
    ('1A00', 'cholera syndrome')
    >>> client.autocode("Cholera").code.item(), client.lookup(257068234).code.item()
    ('1A00', '1A00')
    >>> client.codeinfo("1A00").entity_id.item(), client.describe("1A00").label.item()
    ('257068234', 'Cholera')
    >>> client.decode_codes("1A00&XN62R").role.tolist()
    ['stem', 'extension']
    >>> certificate = {"sex": "male", "cause_a": "BA41.Z", "cause_b": "5A11"}
    >>> client.doris(certificate).code.item(), client.codedit(certificate).status.item()
    ('5A11', 'ok')

    """
