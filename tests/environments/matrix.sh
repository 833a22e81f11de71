#!/usr/bin/env bash
# Run the suites that a version of a library may change in each environment of the matrix: matrix.sh UV FOLDER
# Two environments at a time; the output of each is FOLDER/NAME.log. Where a Python is missing, that is printed.
set -euo pipefail
uv=$1 folder=$2
cd "$(dirname "$0")/../.."
mkdir -p "$folder"
suites=(tests/golden tests/frames tests/files tests/client tests/analysis tests/export tests/widgets
  tests/test_notebooks.py tests/test_load_entity.py tests/test_pandas_versions.py)
marks="not slow and not browser and not scale_out and not full_size_walk and not full_size"

# name, Python, what uv installs
cells=(
  "lowest 3.11 --resolution lowest-direct -e .[test,databases,interactive,networks,skos]"
  "colab 3.12 -c tests/environments/colab.txt -e .[test,networks,skos]"
  "pandas-2.3 3.13 -e .[test,databases,interactive,networks,skos] pandas==2.3.3"
  "pandas-3.0 3.11 -e .[test,databases,interactive,networks,skos] pandas==3.0.*"
  "newest-3.14 3.14 -e .[test,databases,interactive,networks,skos]"
)

interpreter() { # the first Python of this version that starts; pyenv's shims do not
  local found
  for found in "$HOME"/.pyenv/versions/"$1".*/bin/python "$(command -v "python$1" || true)"; do
    if [ -x "$found" ] && "$found" -c 'import ensurepip' 2>/dev/null; then echo "$found" && return; fi
  done
}

run() {
  local name=$1 version=$2 python
  shift 2
  python=$(interpreter "$version")
  local chosen=("${suites[@]}")
  if [ -z "$python" ]; then
    echo "$name: no Python $version here, Python 3.11 instead"
    python=$(command -v python3.11 || command -v python3)
    [ "$name" != newest-3.14 ] || chosen=(tests/golden) # all else has run with these versions under Python 3.11 already
  fi
  "$uv" venv -q --python "$python" "$folder/$name"
  "$uv" pip install -q --python "$folder/$name" "$@"
  local interpreter="$folder/$name/bin/python"
  "$uv" pip check -q --python "$interpreter"
  "$interpreter" tests/golden/cross_read.py write "$folder/written/$name"
  "$interpreter" -m pytest -q -p no:cacheprovider -m "$marks" "${chosen[@]}" >"$folder/$name.log" 2>&1 || { tail -60 "$folder/$name.log"; return 1; }
  echo "$name, $("$interpreter" -c 'import sys, pandas; print("Python", sys.version.split()[0], "pandas", pandas.__version__)'): $(tail -1 "$folder/$name.log")"
  if [ "$name" != lowest ]; then # the tables are the same without pyarrow
    "$uv" pip uninstall -q --python "$interpreter" pyarrow
    "$interpreter" -m pytest -q -p no:cacheprovider tests/golden >"$folder/$name-without-pyarrow.log" 2>&1 || { tail -60 "$folder/$name-without-pyarrow.log"; return 1; }
    echo "$name without pyarrow: $(tail -1 "$folder/$name-without-pyarrow.log")"
    "$uv" pip install -q --python "$interpreter" "$@"
  fi
}

failed=0 running=0
for cell in "${cells[@]}"; do
  read -ra words <<<"$cell"
  if [ "$running" = 2 ]; then
    wait -n || failed=1
    running=1
  fi
  run "${words[@]}" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
[ "$failed" = 0 ]

printf '%s\n' "$folder"/*/bin/python | xargs -P 2 -I{} env {} tests/golden/cross_read.py read "$folder"/written/*
