"""A configuration that extends another: what it says is laid over it, all else stays as it is."""


def laid_over(below: dict, document: dict) -> dict:
    """Lay a document over the one it extends: block by block, a key that is null taken out.

    >>> laid_over({"win": {"days": 90, "embargo": 30}, "seed": 7}, {"win": {"days": 60}, "seed": None})
    {'win': {'days': 60, 'embargo': 30}}
    """
    blocks = {key: below.get(key) if isinstance(below.get(key), dict) else {} for key in document}
    laid = {key: laid_over(blocks[key], value) if isinstance(value, dict) else value for key, value in document.items()}
    return {key: value for key, value in {**below, **laid}.items() if value is not None or key not in laid}
