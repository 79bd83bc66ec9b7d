#!/usr/bin/env bash
# Proposes what make_update.sh left in a folder as one pull request, whose branch is built anew each time. Of the update
# nothing is run here: it becomes a commit, on the commit that is checked out. Needs gh, and GH_TOKEN for it.
set -euo pipefail

base=main
branch=update/descriptions
title="Update the descriptions of the platform"

# Git with the token of gh, which is kept nowhere.
git_with_token() {
    git -c credential.helper= -c 'credential.helper=!gh auth git-credential' "$@"
}

# Whether the branch at origin has the commit that was made here, but for its date.
is_proposed() {
    [[ -n "$1" ]] && git_with_token fetch --quiet --no-tags origin "$1" && git diff --quiet "$1" HEAD &&
        [[ "$(git rev-parse "$1^@")" == "$(git rev-parse HEAD^)" ]]
}

main() {
    local proposal number old foreign
    proposal=$(cd "$1" && pwd)
    cd "$(git rev-parse --show-toplevel)"
    number=$(gh pr list --head "$branch" --base "$base" --state open --json number --jq '.[0].number // empty')
    if [[ ! -s "$proposal/update.patch" ]]; then
        echo "nothing to propose"
        if [[ "$number" =~ ^[0-9]+$ ]]; then
            gh pr close "$number" --comment "Nothing differs from $base any more."
        fi
        return
    fi
    old=$(git_with_token ls-remote origin "refs/heads/$branch" | cut -f1)
    git checkout --quiet --detach
    git apply --cached "$proposal/update.patch"
    foreign=$(git diff --cached --name-only | grep -vE '^"?(specs|generated|skills)/|^(README|CHANGELOG)\.md$|^llms\.txt$' || true)
    if [[ -n "$foreign" ]]; then
        printf 'error: this is no file that an update changes: %s\n' "$foreign" >&2
        exit 2
    fi
    git -c user.name="github-actions[bot]" \
        -c user.email="41898282+github-actions[bot]@users.noreply.github.com" \
        commit --quiet --message "$title" --message "CHANGELOG.md tells what it means for callers."
    if is_proposed "$old"; then
        echo "nothing to push: $branch is as it should be"
    else
        # The lease is on what was there at the start: what came in between is somebody's work, and stays.
        git_with_token push --quiet --force-with-lease="refs/heads/$branch:$old" origin "HEAD:refs/heads/$branch"
        echo "pushed: $branch"
    fi
    local draft=""
    if [[ -e "$proposal/draft" ]]; then
        draft=yes
    fi
    if [[ "$number" =~ ^[0-9]+$ ]]; then
        gh pr edit "$number" --title "$title" --body-file "$proposal/text.md"
        gh pr ready "$number" ${draft:+--undo}
    else
        gh pr create --head "$branch" --base "$base" --title "$title" --body-file "$proposal/text.md" ${draft:+--draft}
    fi
}

main "$@"
exit
