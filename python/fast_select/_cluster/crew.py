"""The client's side of a selection by the workers of a cluster."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _core
from .._checkpoint import Checkpoint
from .._errors import ComputationError, InvalidInputError, refused
from .._lent import Lent
from .._locks import Lock
from .._members import FOLDER, members_of
from .._run import Progress, Run
from .._scratch import Scratch
from .._selection import Selection
from ..energy import Meter
from .census import check_alike, check_see, workers_of
from .collections import is_collection, write_parts
from .connection import check_installed
from .member import ALIVE, Task, read
from .presence import POLL_S, Presence
from .roll import Roll
from .shared import Stored, file_of, store
from .telling import Telling
from .urls import fetched, is_url

if TYPE_CHECKING:
    from distributed import Client

    from ..io import Features

END_S = 3.0
"""Time for members to end once they are not wanted any more."""

OWN = ".cluster-"
"""What the name of a run's own folder, within the checkpoint's, begins with."""


@dataclass(frozen=True)
class Input:
    """Files that the workers read as one matrix; `are_given`: whether they are the user's own."""

    files: tuple[Path, ...]
    flatten: bool = False
    are_given: bool = False


class Crew:
    """The workers of a cluster, and a folder for them to work in.

    ``input``: the files that the matrix is read from, where they are known.
    """

    def __init__(
        self,
        client: Client,
        checkpoint: Checkpoint | str | os.PathLike[str] | None,
        scratch: Scratch | str | os.PathLike[str] | None,
        instruction_set: str | None,
    ) -> None:
        self._presence = Presence(client)
        self._checkpoint, self._scratch = Checkpoint.of(checkpoint), Scratch.of(scratch)
        self._instruction_set = instruction_set
        self._fit: dict[str, bool] = {}
        """Whether workers can be members, by their address."""
        self._roll: Roll | None = None
        self.input: Input | None = None

    @classmethod
    @contextlib.contextmanager
    def of(
        cls,
        client: Client | Crew,
        checkpoint: Checkpoint | str | os.PathLike[str] | None,
        scratch: Scratch | str | os.PathLike[str] | None,
        instruction_set: str | None,
    ) -> Iterator[Crew]:
        """The crew of a client; one that is at hand as it is."""
        if isinstance(client, Crew):
            yield client
            return
        check_installed()
        from distributed import Client

        if not isinstance(client, Client) or client.asynchronous:
            fact = f"{type(client).__name__} is no synchronous client of dask.distributed"
            raise refused("client", fact, "Pass a distributed.Client(...)")
        if client.status != "running":
            raise refused("client", f"is {client.status}", "Pass one that is connected")
        with cls(client, checkpoint, scratch, instruction_set) as crew:
            yield crew

    def __enter__(self) -> Crew:
        with contextlib.ExitStack() as stack:
            workers = list(self._presence.wait())
            check_alike(
                workers_of(self._presence.client, workers, self._instruction_set),
                self._instruction_set,
            )
            self.folder = stack.enter_context(self._kept())
            self._own = stack.enter_context(_own_folder(self.folder))
            self._lock = Lock.take(self._own / ALIVE)
            stack.callback(self._dismiss)
            self._check_see(workers)
            self._fit = dict.fromkeys(workers, True)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def fetched(self, names: Iterable[str]) -> dict[str, str]:
        """Copies of those names that are URLs, by these."""
        return fetched(self._presence, filter(is_url, names), self.folder)

    def reads(self, features: Features, *, flatten: bool) -> Crew:
        """Have the members read the files of ``features``, if they can map them."""
        are_mapped = all(path.suffix.lower() == ".npy" for path in features.files)
        if features.stream_sha256 is None and features.files and are_mapped:
            files = tuple(path.absolute() for path in features.files)
            self.input = Input(files, flatten=flatten, are_given=True)
        return self

    def selections(
        self,
        X: Any,
        sizes: list[dict[str, float]],
        ids: Any,
        assign: bool,
        checkpoint: Checkpoint | str | os.PathLike[str] | None,
        meter: Meter | None,
        progress: Progress | None,
        parameters: Mapping[str, Any],
    ) -> list[Selection]:
        """What :class:`Run` makes, for which the members have done what they can."""
        if is_collection(X):
            self.input = Input(tuple(write_parts(self._presence, X, self._own)))
            X = read(self.input.files)
        keeper = checkpoint if isinstance(checkpoint, Checkpoint) else Checkpoint(self.folder)
        lent = Lent.of(X)
        run = Run(lent, sizes, ids, assign, None, keeper, meter, progress, parameters)
        task = self._task(run, lent, keeper, sizes, parameters)
        run.check_known()
        self._work(task, run)
        return run.selections()

    def _task(
        self,
        run: Run,
        lent: Lent,
        keeper: Checkpoint,
        sizes: list[dict[str, float]],
        parameters: Mapping[str, Any],
    ) -> Task:
        """What the members are to do."""
        if self.input is None:
            self.input = self._input_of(lent.x)
        if self.input.are_given:
            self._check_see(list(self._fit))
        given = run.request.given()
        arrays = {name: value for name, value in given.items() if value is not None}
        return Task(
            folder=self.folder,
            own=self._own,
            files=self.input.files,
            flatten=self.input.flatten,
            # What members find out themselves, of files that they read themselves.
            facts=None if self.input.are_given and keeper.files else keeper.files,
            sizes=sizes,
            options={name: value for name, value in parameters.items() if name not in given},
            arrays={
                name: Stored.of(value, self._own / f"{name}.npy") for name, value in arrays.items()
            },
            instruction_set=_core.info()["instruction_set"],
        )

    def _input_of(self, x: Any) -> Input:
        """The file of a mapped matrix; of another one a copy that all see."""
        path = file_of(x)
        if path is not None:
            return Input((path,), are_given=True)
        path = self._own / "x.npy"
        store(path, x)
        return Input((path,))

    def _work(self, task: Task, run: Run) -> None:
        """Have the members do it."""
        before = set((self.folder / FOLDER).glob("*.json"))
        telling = Telling(run)
        self._roll = Roll(self._presence, task, self._fits)
        while not self._roll.look():
            telling.tell(members_of(self.folder, besides=before))
            time.sleep(POLL_S)
        self._roll.wait(END_S)
        telling.finish()

    def _fits(self, address: str) -> bool | None:
        """Whether a worker can be a member; None for one that is gone."""
        if address not in self._fit:
            try:
                found = workers_of(self._presence.client, [address], self._instruction_set)
                if not found:
                    return None
                check_alike(found, self._instruction_set)
                self._check_see([address])
            except InvalidInputError:  # it has come too late to be refused
                self._fit[address] = False
            else:
                self._fit[address] = True
        return self._fit[address]

    def _check_see(self, addresses: Sequence[str]) -> None:
        """Refuse workers that do not see the folder, or the user's files."""
        known = self.input
        files = known.files if known is not None and known.are_given else ()
        check_see(self._presence.client, addresses, self._own, self._own / ALIVE, files)

    @contextlib.contextmanager
    def _kept(self) -> Iterator[Path]:
        """The checkpoint's folder; without one, a folder for this run."""
        from distributed import LocalCluster

        if self._checkpoint is not None:
            yield self._checkpoint.folder.absolute()
            return
        if self._scratch is None and not isinstance(self._presence.client.cluster, LocalCluster):
            fact = "is missing: workers elsewhere need a folder that all see"
            raise refused("checkpoint", fact, "Name one by {checkpoint}, or by {scratch}")
        place = None if self._scratch is None else self._scratch.folder.absolute()
        with tempfile.TemporaryDirectory(
            prefix="fast-select-", dir=place, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)

    def _dismiss(self) -> None:
        """Have the members end: they see that nobody has the lock any more."""
        if self._lock is not None:
            self._lock.release()
        if self._roll is not None:
            with contextlib.suppress(ComputationError):  # then nobody is left
                self._roll.wait(END_S)
            self._roll.give_up()


@contextlib.contextmanager
def _own_folder(folder: Path) -> Iterator[Path]:
    """A folder for a run's own files, within that of its checkpoint."""
    is_new = not folder.exists()
    own = folder / f"{OWN}{uuid.uuid4().hex[:16]}"
    try:
        own.mkdir(parents=True)
    except OSError as err:
        fact = f"'{folder}' cannot be written to ({err.strerror})"
        raise refused("checkpoint", fact, "Name a folder of your own") from err
    try:
        _remove_left(folder)
        yield own
    finally:
        shutil.rmtree(own, ignore_errors=True)
        if is_new:  # and stays so where nothing was begun
            with contextlib.suppress(OSError):
                folder.rmdir()


def _remove_left(folder: Path) -> None:
    """Remove what runs have left that were killed."""
    for own in folder.glob(f"{OWN}*"):
        path = own / ALIVE
        if path.exists() and (lock := Lock.take(path)) is not None:
            lock.release()
            shutil.rmtree(own, ignore_errors=True)
