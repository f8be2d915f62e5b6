"""YAML files are read strictly; one may extend another: what it says is laid over that, all else stays as it is."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from winworth.errors import ConfigError

if TYPE_CHECKING:
    import yaml

MOST_REFERENCES = 20  # of each other they unfold into more than any machine holds


def read_yaml(path: Path, *, required: bool = True, above: tuple[Path, ...] = ()) -> dict:
    """Read a file of keys and values, laid over the one that it `extends`; an absent one is empty unless it is `required`.

    `above` are the files that extend this one. Raises ConfigError for what is not YAML, a key that stands twice, references
    that unfold without end, and files that extend each other.
    """
    if not path.exists():
        if required:
            raise ConfigError(f"There is no {path}. Write one, or name another folder with --conf.")
        return {}
    document = _document(path)
    below = document.pop("extends", "")
    if not below:
        return document
    chain = (*above, path.resolve())
    other = (path.parent / str(below)).resolve()
    if other in chain:
        raise ConfigError(f"{path} extends {below}, which extends it in turn. Let one of them stand alone.")
    return laid_over(read_yaml(other, above=chain), document)


def yaml_value(text: str) -> Any:
    """Read one value, as `--set` gives it; raises ValueError where it is none."""
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"{text} is not a YAML value.") from error


def laid_over(below: dict, document: dict) -> dict:
    """Lay a document over the one it extends: block by block, a key that is null taken out.

    >>> laid_over({"win": {"days": 90, "embargo": 30}, "seed": 7}, {"win": {"days": 60}, "seed": None})
    {'win': {'days': 60, 'embargo': 30}}
    """
    blocks = {key: below.get(key) if isinstance(below.get(key), dict) else {} for key in document}
    laid = {key: laid_over(blocks[key], value) if isinstance(value, dict) else value for key, value in document.items()}
    return {key: value for key, value in {**below, **laid}.items() if value is not None or key not in laid}


def _document(path: Path) -> dict:
    import yaml

    strict = _strict(path.name)
    try:
        text = path.read_text(encoding="utf-8")
        blocks = {event.anchor for event in yaml.parse(text, strict) if isinstance(event, yaml.CollectionStartEvent)}
        n_references = sum(isinstance(event, yaml.AliasEvent) and event.anchor in blocks for event in yaml.parse(text, strict))
        document = None if n_references > MOST_REFERENCES else yaml.load(text, strict)  # a SafeLoader, made stricter
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from error
    if n_references > MOST_REFERENCES:
        raise ConfigError(f"{path.name} has more than {MOST_REFERENCES} references (*name) to blocks. Write the values out.")
    if not isinstance(document or {}, dict):
        raise ConfigError(f"{path.name} holds a {type(document).__name__}; it must hold keys and values.")
    return document or {}


def _strict(name: str) -> "type[yaml.SafeLoader]":
    """Return a loader for which a key stands once, and only true and false are truth values: NO is Norway."""
    import yaml

    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
        seen: dict[str, int] = {}
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise ConfigError(f"{name} line {line}: the key {key.value} stands already on line {seen[key.value]}.")
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{name} line {line}: a key must be a word.")
            seen[key.value] = line
        return loader.construct_mapping(node, deep=True)

    Strict.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    Strict.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), list("tf"))
    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    return Strict
