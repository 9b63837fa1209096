"""Errors in the words of the command line: parameters become flags, facts get their fix."""

from __future__ import annotations

from .._errors import FastSelectError, InvalidInputError

FLAGS = {
    "x": "input",
    "n_neighbors": "--neighbors",
    "n_components": "--components",
    "n_freqs": "--frequencies",
    "batch_size": "--batch",
    "max_steps": "--steps",
    "max_sweeps": "--sweeps",
    "n_random": "--random",
    "ratio and count": "--ratio and --count",
    "n_threads": "--threads",
}
"""Parameters whose flag is not simply their name."""

PLAIN = {
    "ratio",
    "count",
    "balance",
    "scale",
    "space",
    "seed",
    "threads",
    "method",
    "init",
    "schedule",
    "learning_rate",
    "lambda_div",
    "lambda_match",
    "lambda_graph",
    "lambda_phase",
    "lambda_cover",
    "base_radius",
    "block_rows",
    "max_memory",
    "include",
    "exclude",
    "methods",
    "models",
}

FIXES = {
    "nonfinite='drop'": "use --nonfinite drop to leave them out",
}


def flag(name: str) -> str:
    """The flag that sets a parameter; other names (files) as they are."""
    if name in PLAIN:
        return "--" + name.replace("_", "-")
    return FLAGS.get(name, name)


def explain(err: FastSelectError) -> str:
    """One message: name, fact and fix."""
    if not isinstance(err, InvalidInputError):
        return f"{err}."
    fact = err.fact.removeprefix(f"{err.name} = ")  # the core's words begin with the name
    text = f"{flag(err.name)}: {fact}."
    if err.fix:
        fix = err.fix
        for python, shell in FIXES.items():
            fix = fix.replace(f"pass {python}", shell)
        text += f" {fix}."
    elif err.name == "count" and "classes" in err.fact:
        text += " Select more, or leave the labels out."
    return text
