"""What a training run leaves behind, the same for every framework."""

from dataclasses import dataclass, field


@dataclass
class History:
    """One entry a record; all lists have the same length.

    ``step``            number of updates done when the record was taken
    ``lam``             λ used in the last of them
    ``learning_rate``   μ used in the last of them
    ``label_loss``      mean of L_y over the updates since the record before (nats)
    ``domain_loss``     mean over the same updates of the term that compares the domains: L_d of an adversarial
                        method, a SUM of the two domains' means (2 log 2 = 1.386 at full confusion), MMD², the
                        CORAL distance, or L_SA + L_S
    ``source_accuracy`` share of the source's test images labelled rightly
    ``target_accuracy`` the same for the target; written down for the reader, never used to train or to choose
    ``domain_error``    error of the run's own domain classifier G_d on the test images, each domain counting
                        one half; 0.5 is full confusion. Methods that train no G_d ask a fresh classifier
                        (``dtlbook.divergence.domain_error``). Fine-tuning measures none, as its source and
                        target are the same examples, and writes 0.5
    ``seconds``         time spent in updates so far, records left out; in TensorFlow with the time in which the
                        updates are compiled, before the first of them
    """

    step: list[int] = field(default_factory=list)
    lam: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    label_loss: list[float] = field(default_factory=list)
    domain_loss: list[float] = field(default_factory=list)
    source_accuracy: list[float] = field(default_factory=list)
    target_accuracy: list[float] = field(default_factory=list)
    domain_error: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.step)

    def add(self, **values: float) -> None:
        """Append one record; every field must be given, so that the lists stay equally long."""
        missing = set(vars(self)) ^ set(values)
        if missing:
            raise ValueError(f"a record needs each field of History exactly once; look at {', '.join(sorted(missing))}")
        for name, value in values.items():
            getattr(self, name).append(value)
