"""Channels of findings. Q curves of all charts of a study, P places (as many as the longest chart has), C claims."""

from pcviz.frames import Channel, bulk, number

CHANNELS: dict[str, Channel] = {
    "finding_middle": bulk("PQ", "that of the chart", "middle of every curve at its places; NaN: not known"),
    "finding_low": bulk("PQ", "that of the chart", "lower end of its interval"),
    "finding_high": bulk("PQ", "that of the chart", "upper end of its interval"),
    "finding_above": bulk("PQ", "that of the chart", "what it is only known to be above"),
    "finding_outline": number("checksum", "of curves, places and claims: the same if they are"),
    "finding_claims": bulk(
        "4C", "that of the claim", "measured; lower and upper end of its interval; 1: kept, 0: not kept; NaN: not known"
    ),
}
