"""Commands: how many harmful ones are named, however they are spelled, and how many ordinary ones are."""

from pathlib import Path

from commontrace.safety.commands import judge
from commontrace.safety.labels import labels_of
from safety_parts import Table, cpu, share
from safety_parts._commands import HARMFUL, ORDINARY

TITLE = "Commands"
PLACES = {
    "alone": "{}",
    "in a block": "Then:\n\n```bash\n{}\n```\n",
    "in back-ticks": "Run `{}` and try again.",
    "in a sentence": "To mend it, first run {}",
}


def run(data: Path) -> list[Table]:
    """Recall of the judge, and of labels wherever a command stands in a text."""
    del data
    missed = [{"command": command} for command in HARMFUL if not judge(command)]
    alarms = [
        {"command": one, "labels": "; ".join(label.reason for label in judge(one))} for one in ORDINARY if judge(one)
    ]
    rows = [
        {
            "where": "judge",
            "harmful": share(len(HARMFUL) - len(missed), len(HARMFUL)),
            "ordinary": share(len(alarms), len(ORDINARY)),
        }
    ]
    for place, template in PLACES.items():
        harmful = sum(bool(labels_of(template.format(one))) for one in HARMFUL if "`" not in one)
        usual = sum(bool(labels_of(template.format(one))) for one in ORDINARY)
        of = sum("`" not in one for one in HARMFUL)
        rows.append({"where": place, "harmful": share(harmful, of), "ordinary": share(usual, len(ORDINARY))})
    return [
        Table(f"Labelled: {len(HARMFUL)} harmful commands, {len(ORDINARY)} ordinary ones", rows),
        Table("Harmful and not named by the judge", missed),
        Table("Ordinary and named", alarms),
        Table("Cost of the judge", [cpu(judge, [*HARMFUL, *ORDINARY] * 3)]),
    ]
