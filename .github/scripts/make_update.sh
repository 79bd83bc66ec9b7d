#!/usr/bin/env bash
# Updates a checkout from the platform, tries the result, and leaves what is to be proposed in the folder that it is
# given: update.patch, which is empty if there is nothing to propose, text.md, and `draft` where a check or a test fails.
# IMPACT names a folder of code that uses the package, if the text is to say which lines of it break.
# It runs what it installs and reads what the platform says, so that it must have no token.
set -euo pipefail
export LC_ALL=C.UTF-8

# As code in Markdown, whatever it holds: the last lines of it, none of them too long.
as_code() {
    tr -d '\000-\010\013-\037' | tail -n "$1" | sed -E 's/^(.{300}).*/\1 …/; s/^/    /'
}

try() {
    echo "make $1"
    if ! make "$1" >"$scratch/$1.out" 2>"$scratch/$1.err"; then
        touch "$proposal/draft"
        {
            printf '**`make %s` fails on this branch**, so that this is a draft. What it says ends with\n\n' "$1"
            cat "$scratch/$1.out" "$scratch/$1.err" | as_code 25
            echo
        } >>"$proposal/text.md"
    fi
    cat "$scratch/$1.out" "$scratch/$1.err"
}

main() {
    mkdir -p "$1"
    proposal=$(cd "$1" && pwd)
    scratch=$(mktemp -d)
    cd "$(git rev-parse --show-toplevel)"
    if [[ -n "$(git status --porcelain)" ]]; then
        echo "error: this checkout has changes of its own; commit them or take another one" >&2
        exit 2
    fi
    rm -f "$proposal/draft"
    : >"$proposal/text.md"
    : >"$proposal/update.patch"

    make update
    git add --all -- specs generated skills llms.txt README.md CHANGELOG.md
    try check
    local changed=0
    .venv/bin/python -m generator changes HEAD specs --markdown --fail-on any >"$scratch/changes.md" || changed=$?
    if ((changed > 1)) || [[ ! -s "$scratch/changes.md" ]]; then
        exit "$changed"
    fi
    # That the manifest alone differs tells of other bytes in the inputs, which is nothing to review.
    if ((changed == 0)) &&
        git diff --cached --quiet -- generated ':(exclude)generated/skills_video/MANIFEST.json'; then
        echo "nothing to propose: no change, and no generated file differs"
        return
    fi
    try test
    if [[ -n "${IMPACT:-}" ]]; then
        {
            printf 'What breaks in `%s`:\n\n' "$IMPACT"
            { .venv/bin/python -m generator impact "$IMPACT" HEAD specs 2>&1 || true; } | as_code 60
            echo
        } >>"$proposal/text.md"
    fi
    cat "$scratch/changes.md" >>"$proposal/text.md"
    # GitHub takes 65,536 characters.
    head -c 65000 "$proposal/text.md" | iconv -c -f UTF-8 -t UTF-8 >"$scratch/text.md"
    mv "$scratch/text.md" "$proposal/text.md"
    git diff --cached --binary --full-index --no-renames --no-ext-diff >"$proposal/update.patch"
    echo "to be proposed: $proposal"
}

main "$@"
exit
