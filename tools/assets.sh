#!/usr/bin/env bash
# Builds what browsers load (style sheets of the design system in our colours, scripts) into the package, from the
# locked packages of assets/. Nothing of it is committed; a wheel contains it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly WORK=build/assets
readonly STATIC=src/carethread/web/static

if ! command -v npm >/dev/null; then
    echo "Not built: style sheets and scripts of the web application. Install Node.js with npm, then: make assets" >&2
    [ "${CI:-}" != true ]
    exit
fi

mkdir -p "$WORK" "$STATIC"
cp assets/package.json assets/package-lock.json "$WORK"
npm ci --prefix "$WORK" --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error

node "$WORK/node_modules/sass/sass.js" --style=compressed --no-source-map --quiet-deps \
    --load-path="$WORK/node_modules" assets/light.scss:"$STATIC/light.css" assets/dark.scss:"$STATIC/dark.css" \
    assets/print.scss:"$STATIC/print.css"
cp "$WORK/node_modules/nhsuk-frontend/dist/nhsuk/nhsuk-frontend.min.js" \
    "$WORK/node_modules/htmx.org/dist/htmx.min.js" \
    "$WORK/node_modules/htmx.org/dist/ext/hx-sse.min.js" \
    assets/start.js assets/carethread.js assets/drafts.js assets/still.js assets/streams.js assets/print.js assets/icon.svg "$STATIC"
# Maps of the sources are not shipped.
sed -i '/^\/\/# sourceMappingURL=/d' "$STATIC"/*.js
touch "$STATIC/.built"
