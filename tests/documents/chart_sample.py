"""A chart as a bulletin is given it."""

from django.utils.safestring import mark_safe

CHART = mark_safe(
    '<svg xmlns="http://www.w3.org/2000/svg" width="620" height="96" viewBox="0 0 620 96" role="img">'
    "<title>各试点单位M1差错数</title>"
    '<g font-size="12"><text x="150" y="24" text-anchor="end">示例云网络</text><text x="150" y="54" text-anchor="end">'
    '示例数据中心</text><text x="150" y="84" text-anchor="end">示例内容分发</text></g>'
    '<g fill="#1f5f99"><rect x="160" y="12" width="40" height="16"/><rect x="160" y="42" width="360" height="16"/></g>'
    '<g font-size="12"><text x="206" y="24">1</text><text x="526" y="54">9</text><text x="166" y="84">0</text></g>'
    "</svg>"
)
