import nbformat
import pytest
from nbclient import NotebookClient

SECRET = "s3cret-9f27c1"
SHOW = """from pathlib import Path
from icdframes.connection import connect, set_default
from icdframes.notebook.login import LoginForm
form = LoginForm(connect, on_success=set_default, server='sandbox')
form"""
TYPE_AND_CLICK = """secret = Path('secret.txt').read_text()
form._client_id.set_state({'value': 'sandbox-client'})  # as a front end does it
form._secret.set_state({'value': secret})
form._button.click()
form, form.client, form._status.value"""


@pytest.mark.parametrize("secret, said", [(SECRET, "refuses the client"), ("sandbox-secret", "Connected to 127.0.0.1")])
def test_a_saved_notebook_with_widget_state_holds_no_secret(tmp_path, secret, said):
    (tmp_path / "secret.txt").write_text(secret)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (SHOW, TYPE_AND_CLICK)])
    NotebookClient(book, resources={"metadata": {"path": str(tmp_path)}}, store_widget_state=True, timeout=60).execute()
    saved = nbformat.writes(book)
    assert "PasswordModel" in saved
    assert said in saved
    assert secret not in saved
    assert "access_token" not in saved
