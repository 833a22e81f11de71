import nbformat
import pytest
from nbclient import NotebookClient

SECRETS = {"wrong.txt": "s3cret-9f27c1", "right.txt": "sandbox-secret"}
SHOW = """from pathlib import Path
from icdframes.functions import connect, set_default
from icdframes.widgets.login_form import LoginForm
form = LoginForm(connect, on_success=set_default, server='sandbox')
form"""
TYPE_AND_CLICK = """secret = Path('{file}').read_text()
form._client_id.set_state({{'value': 'sandbox-client'}})  # as a front end does it
form._secret.set_state({{'value': secret}})
form._button.click()
form, form.client, form._status.value"""


@pytest.mark.slow
def test_a_saved_notebook_with_widget_state_holds_no_secret(tmp_path):
    for file, secret in SECRETS.items():
        (tmp_path / file).write_text(secret)
    sources = [SHOW, *(TYPE_AND_CLICK.format(file=file) for file in SECRETS)]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}, store_widget_state=True, timeout=60).execute()
    for file in SECRETS:
        (tmp_path / file).unlink()
    _show, refused, connected = (nbformat.writes(nbformat.v4.new_notebook(cells=[cell])) for cell in book.cells)
    assert "refuses the client" in refused
    assert "Connected to 127.0.0.1" in connected
    saved = nbformat.writes(book)
    assert "PasswordModel" in saved
    assert [secret for secret in SECRETS.values() if secret in saved] == []
    assert "access_token" not in saved
