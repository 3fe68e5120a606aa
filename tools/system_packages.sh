#!/usr/bin/env bash
# The few programs that tests compare us with and that no Python package brings. Installs them where it may
# (root, apt-get); says how elsewhere, and the tests that need them are skipped. With CI=true a missing one fails.
set -euo pipefail

# program  its Debian package  what it is for
readonly NEEDED="\
mkfs.ext4 e2fsprogs crash tests on ext4
mkfs.xfs xfsprogs crash tests on xfs
gpgsm gpgsm checking CMS signatures
gpg-agent gpg-agent keeping gpgsm's list of trusted roots
ssh-keygen openssh-client checking SSH signatures
openssl openssl making test certificates
chromium chromium trying the web application
pdftotext poppler-utils reading what was printed"

# An ordinary user's PATH often lacks the place where mkfs lives.
PATH="$PATH:/usr/sbin:/sbin"

missing_packages() {
    local program package purpose
    while read -r program package purpose; do
        command -v "$program" >/dev/null || echo "$package"
    done <<<"$NEEDED"
}

mapfile -t packages < <(missing_packages)
if [ "${#packages[@]}" -eq 0 ]; then
    exit 0
fi

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "Installing what the tests compare with: ${packages[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "${packages[@]}" >/dev/null; } || true
    mapfile -t packages < <(missing_packages)
    if [ "${#packages[@]}" -eq 0 ]; then
        exit 0
    fi
fi

echo "Not installed: ${packages[*]}. The tests that need them will be skipped. To run them too:" >&2
echo "    sudo apt-get install ${packages[*]}        (or your system's own packages of these programs)" >&2
[ "${CI:-}" != true ]
