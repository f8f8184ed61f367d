"""Our own marks as SVG, kept in code so that no page asks another server for an icon."""

from __future__ import annotations

from stockcast.ui.chart_style import CHAMPION, HISTORY

# Closes on the left, the fan of a forecast on the right. 32 x 32.
_FAN = (
    f'<path d="M15 17 L30 5 L30 27 Z" fill="{CHAMPION}" fill-opacity="0.3"/>'
    f'<path d="M15 17 L30 11 L30 22 Z" fill="{CHAMPION}" fill-opacity="0.55"/>'
    f'<path d="M15 17 L30 16" stroke="{CHAMPION}" stroke-width="3" fill="none"/>'
    f'<path d="M2 23 L6 18 L10 21 L15 17" stroke="{HISTORY}" stroke-width="3" fill="none" '
    'stroke-linecap="round" stroke-linejoin="round"/>'
)

FAVICON = f'<svg xmlns="http://www.w3.org/2000/svg" width="32" height="32" viewBox="0 0 32 32">{_FAN}</svg>'

WORDMARK = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="150" height="32" viewBox="0 0 150 32">'
    f'{_FAN}<text x="40" y="23" font-family="Source Sans, Helvetica, Arial, sans-serif" font-size="22" '
    f'font-weight="600" textLength="106" lengthAdjust="spacingAndGlyphs" fill="{CHAMPION}">stockcast</text></svg>'
)
