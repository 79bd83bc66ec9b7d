#!/usr/bin/env bash
# Updates from main, and proposes what changed as one pull request, whose branch is built anew each time.
# Needs a checkout without changes of its own, make, and gh with GH_TOKEN.
set -euo pipefail

base=main
branch=update/descriptions
title="Update the descriptions of the platform"

open_pull_request() {
    gh pr list --head "$branch" --base "$base" --state open --json number --jq '.[0].number // empty'
}

# Whether the branch at origin has the commit that was made here, but for its date.
is_proposed() {
    [[ -n "$1" ]] && git fetch --quiet --no-tags origin "$1" && git diff --quiet "$1" HEAD &&
        [[ "$(git rev-parse "$1^@")" == "$(git rev-parse HEAD^)" ]]
}

main() {
    cd "$(git rev-parse --show-toplevel)"
    if [[ -n "$(git status --porcelain)" ]]; then
        echo "error: this checkout has changes of its own; commit them or take another one" >&2
        exit 2
    fi
    git fetch --quiet --no-tags origin "+refs/heads/$base:refs/remotes/origin/$base"
    local old number text
    old=$(git ls-remote origin "refs/heads/$branch" | cut -f1)
    git checkout --quiet --detach "refs/remotes/origin/$base"

    make update

    git add --all -- specs generated README.md CHANGELOG.md
    number=$(open_pull_request)
    # That the manifest alone differs tells of other bytes in the inputs, which is nothing to review.
    if git diff --cached --quiet -- generated ':(exclude)generated/skills_video/MANIFEST.json'; then
        echo "nothing to propose: no generated file differs"
        if [[ "$number" =~ ^[0-9]+$ ]]; then
            gh pr close "$number" --comment "No generated file differs from $base any more."
        fi
        return
    fi
    text=$(mktemp)
    .venv/bin/python -m generator changes HEAD specs --markdown >"$text"
    git -c user.name="github-actions[bot]" \
        -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
        commit --quiet --message "$title" --message "CHANGELOG.md tells what it means for callers."
    if is_proposed "$old"; then
        echo "nothing to push: $branch is as it should be"
    else
        # The lease is on what was there at the start: what came in between is somebody's work, and stays.
        git push --quiet --force-with-lease="refs/heads/$branch:$old" origin "HEAD:refs/heads/$branch"
        echo "pushed: $branch"
    fi
    if [[ "$number" =~ ^[0-9]+$ ]]; then
        gh pr edit "$number" --title "$title" --body-file "$text"
    else
        gh pr create --head "$branch" --base "$base" --title "$title" --body-file "$text"
    fi
    rm -f "$text"
}

main
exit
