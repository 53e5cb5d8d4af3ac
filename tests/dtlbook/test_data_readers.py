"""The readers of real data: on tiny files of the same formats, and on the real ones where they are."""

import bz2
import gzip
import hashlib
import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from dtlbook import data
from dtlbook.data import blend, fetch, gtsrb, handwritten, objects, surf

REAL = Path(os.environ.get("DTLBOOK_DATA", "no folder"))
RNG = np.random.default_rng(0)


def needs(folder: str):
    """Skip where the real data are not there; they are read from the folder that was set when the tests began."""
    return pytest.mark.skipif(not (REAL / folder).exists(), reason=f"needs DTLBOOK_DATA with {folder}")


@pytest.fixture
def folder(monkeypatch, tmp_path) -> Path:
    """An empty data folder, and no network."""
    monkeypatch.setenv("DTLBOOK_DATA", str(tmp_path))
    unreachable = {p: fetch.Remote(("http://127.0.0.1:9/" + p,), r.checksum) for p, r in fetch.FILES.items()}
    monkeypatch.setattr(fetch, "FILES", unreachable)
    monkeypatch.setattr(fetch, "PAUSE", 0.0)
    for variable in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(variable, "127.0.0.1")
    return tmp_path


@pytest.fixture
def real(monkeypatch) -> Path:
    monkeypatch.setenv("DTLBOOK_DATA", str(REAL))
    return REAL


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def noise(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def picture(pixels: np.ndarray, kind: str = "ppm") -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **({"quality": 100, "subsampling": 0} if kind == "jpeg" else {}))
    return out.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def one_sentence(call, kind=ValueError) -> str:
    with pytest.raises(kind) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


# --- MNIST -----------------------------------------------------------------------------------------------
def idx(array: np.ndarray) -> bytes:
    return gzip.compress(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


def put_mnist(folder: Path, n_train: int = 20, n_test: int = 10) -> dict[str, np.ndarray]:
    arrays = {
        "train-images-idx3": noise(n_train, 28, 28),
        "train-labels-idx1": (np.arange(n_train) % 10).astype(np.uint8),
        "t10k-images-idx3": noise(n_test, 28, 28),
        "t10k-labels-idx1": (np.arange(n_test) % 10).astype(np.uint8),
    }
    for name, array in arrays.items():
        put(folder / f"mnist/{name}-ubyte.gz", idx(array))
    return arrays


def test_mnist_is_read_from_its_four_files(folder):
    arrays = put_mnist(folder)
    mnist = data.load("mnist")
    assert np.array_equal(mnist.x_train[..., 0], arrays["train-images-idx3"])
    assert np.array_equal(mnist.x_test[..., 0], arrays["t10k-images-idx3"])
    assert np.array_equal(mnist.y_train, arrays["train-labels-idx1"])
    assert np.array_equal(mnist.y_test, arrays["t10k-labels-idx1"])
    grey = data.load("mnist-rgb")
    assert grey.image_shape == (28, 28, 3) and all(
        np.array_equal(grey.x_train[..., c], mnist.x_train[..., 0]) for c in range(3)
    )
    assert data.load("mnist-32").image_shape == (32, 32, 3)


@pytest.mark.parametrize(
    "damage, says",
    [
        (lambda raw: raw[: len(raw) // 2], "is cut short or damaged"),
        (lambda raw: b"no gzip at all", "is cut short or damaged"),
        (lambda raw: gzip.compress(gzip.decompress(raw)[:-1]), r"must hold [20, 28, 28] = 15680 values, but has 15679"),
        (lambda raw: gzip.compress(gzip.decompress(raw) + b"x"), "15681"),
        (lambda raw: gzip.compress(b"\x00\x00\x0d\x03" + gzip.decompress(raw)[4:]), "no IDX file of unsigned bytes"),
        (lambda raw: gzip.compress(b"\x00\x00\x08\x03\x00"), "no IDX file of unsigned bytes"),
        (lambda raw: gzip.compress(b""), "no IDX file"),
    ],
)
def test_a_damaged_idx_file_gives_one_sentence(folder, damage, says):
    put_mnist(folder)
    path = folder / "mnist/train-images-idx3-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    sentence = one_sentence(lambda: data.load("mnist"))
    assert says in sentence and str(path) in sentence and "delete it and get it again" in sentence


@pytest.mark.parametrize("name", ["mnist", "usps", "svhn", "gtsrb", "cats-dogs", "mnist-m"])
def test_missing_data_offline_gives_one_sentence(folder, name):
    if name == "mnist-m":
        put_mnist(folder)
    sentence = one_sentence(lambda: data.load(name), FileNotFoundError)
    assert (
        "is not in the data folder" in sentence and "get it from http" in sentence and f"put it at {folder}" in sentence
    )


@pytest.mark.parametrize("name, place", [("surf-amazon", "amazon_SURF_L10.mat"), ("office31-dslr", "office31/dslr")])
def test_data_without_a_published_checksum_must_be_put_there_by_hand(folder, name, place):
    sentence = one_sentence(lambda: data.load(name), FileNotFoundError)
    assert place in sentence and "get it from" in sentence and f"put it at {folder}" in sentence


# --- USPS --------------------------------------------------------------------------------------------------
def libsvm(images: np.ndarray, labels: np.ndarray) -> bytes:
    lines = (
        f"{label + 1} " + " ".join(f"{k + 1}:{value / 127.5 - 1:.4f}" for k, value in enumerate(image.ravel()))
        for image, label in zip(images, labels, strict=True)
    )
    return bz2.compress("\n".join(lines).encode())


def test_usps_is_read_from_either_form(folder):
    x, y = noise(6, 16, 16, 1), np.array([0, 9, 5, 1, 2, 3])
    put(folder / "usps/usps.bz2", libsvm(x, y))
    put(folder / "usps/usps.t.bz2", libsvm(x[:3], y[:3]))
    usps = data.load("usps")
    assert np.array_equal(usps.x_train, x) and np.array_equal(usps.y_train, y) and np.array_equal(usps.x_test, x[:3])
    np.savez(folder / "usps/usps.npz", x_train=x[1:, ..., 0], y_train=y[1:], x_test=x[..., 0], y_test=y)
    assert np.array_equal(data.load("usps").x_train, x[1:])  # the packed form goes first
    assert data.load("usps-28").image_shape == (28, 28, 1)


def test_a_damaged_usps_file_gives_one_sentence(folder):
    good = libsvm(noise(6, 16, 16, 1), np.arange(6))
    put(folder / "usps/usps.t.bz2", good)
    for bad in (good[:-20], b"nothing", bz2.compress(b"1 1:0.5\n2 1:0.25"), bz2.compress(b"")):
        put(folder / "usps/usps.bz2", bad)
        assert "is cut short or damaged" in one_sentence(lambda: data.load("usps"))


def test_resizing_keeps_flat_images_ramps_and_edges():
    flat = np.full((1, 16, 16, 1), 137, np.uint8)
    assert set(handwritten.resized(flat, 28).ravel()) == {137}
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8)[None, None, :, None] * 10, (1, 16, 16, 1))
    centres = (np.arange(28) + 0.5) * 16 / 28 - 0.5
    expected = 10 * centres.clip(0, 15)
    assert np.abs(handwritten.resized(ramp, 28)[0, :, :, 0] - expected).max() <= 0.5 + 1e-9
    same = noise(3, 7, 7, 2)
    assert np.array_equal(handwritten.resized(same, 7), same)


# --- .mat: SVHN and SURF -------------------------------------------------------------------------------
def test_svhn_puts_images_first_and_calls_ten_zero(folder):
    x = noise(32, 32, 3, 5)
    for part in ("train", "test"):
        (folder / "svhn").mkdir(exist_ok=True)
        savemat(folder / f"svhn/{part}_32x32.mat", {"X": x, "y": np.array([[10], [1], [9], [2], [10]], np.uint8)})
    svhn = data.load("svhn")
    assert np.array_equal(svhn.x_train[3], x[..., 3]) and svhn.y_test.tolist() == [0, 1, 9, 2, 0]
    put_mnist(folder)
    source, target = data.pair("svhn-mnist")
    assert source.image_shape == target.image_shape == (32, 32, 3)


def test_a_damaged_mat_file_gives_one_sentence(folder):
    path = folder / "svhn/train_32x32.mat"
    put(folder / "svhn/test_32x32.mat", b"")
    for content, says in ((b"", "damaged"), (b"MATLAB 5.0 MAT-file" + bytes(200), "damaged")):
        put(path, content)
        assert says in one_sentence(lambda: data.load("svhn"))
    savemat(path, {"Z": 1})
    assert "must have the arrays X, y, but X, y is missing" in one_sentence(lambda: data.load("svhn"))


def test_surf_rows_are_shares_and_columns_standard(folder):
    counts = RNG.integers(0, 9, (12, 7)).astype(np.uint8)
    counts[:, 3], counts[:, 0] = 0, 5
    (folder / "office_caltech10_surf").mkdir()
    savemat(folder / "office_caltech10_surf/dslr_SURF_L10.mat", {"fts": counts, "labels": np.arange(1, 13)[:, None]})
    dslr = data.load("surf-dslr")
    shares = counts / counts.sum(axis=1, dtype=float, keepdims=True)
    for column in range(7):
        if column == 3:
            assert (dslr.x_train[:, 3] == 0).all()  # never counted
        else:
            z = (shares[:, column] - shares[:, column].mean()) / np.sqrt(shares[:, column].var() * 12 / 11)
            np.testing.assert_allclose(dslr.x_train[:, column], z, rtol=1e-4, atol=1e-5)
    assert dslr.y_train.tolist() == list(range(12)) and dslr.x_test is dslr.x_train
    assert one_sentence(lambda: surf.normalised(np.zeros((3, 4)))).startswith("row 0 has the sum 0")
    assert "amazon, caltech, dslr, webcam" in one_sentence(lambda: surf.histograms("dlsr"))


@needs("office_caltech10_surf")
@pytest.mark.parametrize(
    "source, target, published",
    [
        ("caltech", "amazon", 23.70),
        ("caltech", "webcam", 25.76),
        ("amazon", "caltech", 26.00),
        ("dslr", "webcam", 63.39),
    ],
)
def test_nearest_neighbour_on_surf_gives_the_published_accuracy(real, source, target, published):
    """Gong et al., CVPR 2012: 1-NN on the features as they are, all source examples."""
    from sklearn.neighbors import KNeighborsClassifier

    s, t = data.pair(f"surf-{source}-{target}")
    accuracy = KNeighborsClassifier(1).fit(s.x_train, s.y_train).score(t.x_test, t.y_test)
    assert round(100 * accuracy, 2) == published


# --- BSDS500 and MNIST-M -------------------------------------------------------------------------------
def test_mnist_m_blends_training_digits_with_training_photographs(folder):
    arrays = put_mnist(folder)
    photos = {}
    for part, level in (("train", 60), ("test", 200)):
        photos[part] = np.full((40, 50, 3), level, np.uint8) + np.array([0, 5, 10], np.uint8)
        put(folder / f"bsds500/{part}/1.jpg", picture(photos[part], "jpeg"))
    made = data.load("mnist-m")
    for x, digits, photo in (
        (made.x_train, arrays["train-images-idx3"], photos["train"]),
        (made.x_test, arrays["t10k-images-idx3"], photos["test"]),
    ):
        expected = np.abs(digits[..., None].astype(int) - photo[0, 0].astype(int))
        assert np.abs(x.astype(int) - expected).max() <= 2  # JPEG
    assert made.y_test.tolist() == arrays["t10k-labels-idx1"].tolist()
    assert data.checksum(made) == data.checksum(data.load("mnist-m"))
    source, target = data.pair("mnist-mnistm")
    assert source.image_shape == target.image_shape == (28, 28, 3)


def test_photographs_are_read_from_the_authors_archive_too(folder):
    photos = [noise(30, 40, 3), noise(40, 30, 3)]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in (
            ("BSR/BSDS500/data/images/train/20.jpg", picture(photos[1], "jpeg")),
            ("BSR/BSDS500/data/images/train/10.jpg", picture(photos[0], "jpeg")),
            ("BSR/BSDS500/data/images/train/Thumbs.db", b"?"),
            ("BSR/BSDS500/data/images/test/30.jpg", picture(photos[0], "jpeg")),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    path = put(folder / "bsds500/BSR_bsds500.tgz", out.getvalue())
    read = blend.bsds_photos("train")
    assert [photo.shape for photo in read] == [(30, 40, 3), (40, 30, 3)]
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]  # nothing is unpacked
    assert "has no .jpg in" in one_sentence(lambda: blend.bsds_photos("val"))
    path.write_bytes(out.getvalue()[:500])
    assert "cut short or damaged" in one_sentence(lambda: blend.bsds_photos("train"))


def test_a_damaged_photograph_gives_one_sentence(folder):
    put(folder / "bsds500/train/1.jpg", picture(noise(40, 40, 3), "jpeg")[:300])
    assert "1.jpg cannot be read as a picture" in one_sentence(lambda: blend.bsds_photos("train"))
    (folder / "bsds500/val").mkdir()
    assert "has no .jpg photographs" in one_sentence(lambda: blend.bsds_photos("val"), FileNotFoundError)


@needs("mnist")
def test_the_real_mnist_has_the_official_content(real):
    for name, md5 in (
        ("train-images-idx3", "6bbc9ace898e44ae57da46a324031adb"),
        ("train-labels-idx1", "a25bea736e30d166cdddb491f175f624"),
        ("t10k-images-idx3", "2646ac647ad5339dbf082846283269ea"),
        ("t10k-labels-idx1", "27ae3e4e09519cfbb04c329615203637"),
    ):
        assert hashlib.md5(gzip.decompress((real / f"mnist/{name}-ubyte.gz").read_bytes())).hexdigest() == md5
    mnist = data.load("mnist")
    assert (mnist.x_train.shape, mnist.x_test.shape) == ((60000, 28, 28, 1), (10000, 28, 28, 1))
    assert mnist.y_train[:5].tolist() == [5, 0, 4, 1, 9] and np.bincount(mnist.y_train).tolist()[0] == 5923


@needs("usps")
def test_the_real_usps_has_the_published_counts(real):
    source, target = data.pair("usps-mnist") if (REAL / "mnist").exists() else (data.load("usps-28"), None)
    assert np.bincount(source.y_train).tolist() == [1194, 1005, 731, 658, 652, 556, 664, 645, 542, 644]
    assert np.bincount(source.y_test).tolist() == [359, 264, 198, 166, 200, 160, 170, 147, 166, 177]
    assert target is None or source.image_shape == target.image_shape == (28, 28, 1)


@needs("bsds500/train")
@needs("mnist")
def test_the_real_mnist_m_differs_from_mnist_by_a_photograph(real):
    source, target = data.pair("mnist-mnistm")
    assert target.x_train.shape == (60000, 28, 28, 3) and target.x_test.shape == (10000, 28, 28, 3)
    assert np.array_equal(source.y_train, target.y_train)
    black = source.x_train[:5000] == 0  # there, |patch − 0| is the photograph itself
    photo = target.x_train[:5000][black]
    assert 80 < photo.mean() < 140 and len(np.unique(photo)) == 256
    white = source.x_train[:5000] == 255
    assert abs((255 - target.x_train[:5000][white]).mean() - photo.mean()) < 12


# --- GTSRB -----------------------------------------------------------------------------------------------
TABLE = "Filename;Width;Height;Roi.X1;Roi.Y1;Roi.X2;Roi.Y2;ClassId\n"


def put_gtsrb(folder: Path) -> None:
    def sign(level: int) -> bytes:
        pixels = np.zeros((30, 34, 3), np.uint8)  # black around the frame, which is (5, 6) to (25, 26)
        pixels[6:26, 5:25] = level
        return picture(pixels)

    row = "{};34;30;5;6;25;26;{}\n".format
    training = {
        f"GTSRB/Training/{c:05}/{name}": content
        for c in (0, 2)
        for name, content in (
            ("00000_00000.ppm", sign(100 + c)),
            (f"GT-{c:05}.csv", (TABLE + row("00000_00000.ppm", c)).encode()),
        )
    }
    put(folder / "gtsrb/GTSRB-Training_fixed.zip", zipped(training))
    images = {f"GTSRB/Final_Test/Images/0000{k}.ppm": sign(200 + k) for k in range(2)}
    images["GTSRB/Final_Test/Images/GT-final_test.test.csv"] = b"Filename;Width\n"
    put(folder / "gtsrb/GTSRB_Final_Test_Images.zip", zipped(images))
    table = TABLE + row("00001.ppm", 2) + row("00000.ppm", 0)
    put(folder / "gtsrb/GTSRB_Final_Test_GT.zip", zipped({"GT-final_test.csv": table.encode()}))


def test_gtsrb_cuts_the_frames_out_and_joins_pictures_with_their_classes(folder):
    put_gtsrb(folder)
    signs = data.load("gtsrb")
    assert signs.image_shape == (gtsrb.SIZE, gtsrb.SIZE, 3)
    assert [set(x.ravel()) for x in signs.x_train] == [{100}, {102}] and signs.y_train.tolist() == [0, 2]
    assert [set(x.ravel()) for x in signs.x_test] == [{201}, {200}] and signs.y_test.tolist() == [2, 0]


def test_damaged_archives_of_signs_give_one_sentence(folder):
    put_gtsrb(folder)
    images, labels = (folder / f"gtsrb/GTSRB_Final_Test_{kind}.zip" for kind in ("Images", "GT"))
    good = labels.read_bytes()
    put(labels, zipped({"GT-final_test.csv": (TABLE + "99999.ppm;34;30;5;6;25;26;0\n").encode()}))
    assert "do not fit or are damaged" in one_sentence(lambda: data.load("gtsrb"))
    put(labels, zipped({"readme.txt": b""}))
    assert "has no table (.csv) of signs" in one_sentence(lambda: data.load("gtsrb"))
    put(labels, good)
    put(images, images.read_bytes()[:-30])
    assert "cut short or damaged" in one_sentence(lambda: data.load("gtsrb"))


# --- folders: Office-31, cats vs dogs ------------------------------------------------------------------
def test_office31_numbers_the_classes_by_name(folder):
    for name, level in (("mug", 90), ("bike", 30), ("ruler", 250)):
        for k in range(2):
            put(
                folder / f"office31/dslr/images/{name}/frame_000{k}.jpg",
                picture(np.full((40, 30, 3), level, np.uint8), "jpeg"),
            )
    office = objects.office31("dslr", size=16)
    assert office.image_shape == (16, 16, 3) and office.y_train.tolist() == [0, 0, 1, 1, 2, 2]
    assert office.x_train[:, 0, 0, 0].tolist() == [30, 30, 90, 90, 250, 250] and office.x_test is office.x_train
    put(folder / "office31/dslr/images/mug/frame_0002.jpg", b"no picture")
    assert "frame_0002.jpg cannot be read as a picture" in one_sentence(lambda: objects.office31("dslr", 16))
    (folder / "office31/webcam").mkdir()
    assert "one folder of pictures for each class" in one_sentence(
        lambda: data.load("office31-webcam"), FileNotFoundError
    )
    assert "amazon, dslr, webcam" in one_sentence(lambda: objects.office31("dlsr"))


def pets() -> dict[str, bytes]:
    return {
        f"PetImages/{kind}/{k}.jpg": b"" if k == 2 else picture(np.full((20, 30, 3), base + k, np.uint8), "jpeg")
        for kind, base in (("Cat", 50), ("Dog", 150))
        for k in range(12)
    }


@pytest.mark.parametrize("packed", [False, True])
def test_cats_and_dogs_come_in_the_order_of_their_numbers_without_the_damaged(folder, packed):
    if packed:
        put(folder / "cats-dogs/kagglecatsanddogs_5340.zip", zipped(pets()))
    else:
        for name, content in pets().items():
            put(folder / f"cats-dogs/{name}", content)
    with pytest.warns(UserWarning, match="2 damaged pictures were passed over"):
        both = objects.cats_dogs(size=8, n_train=6, n_test=4)
    assert both.x_train[:, 0, 0, 0].tolist() == [50, 51, 53, 150, 151, 153] and both.y_train.tolist() == [
        0,
        0,
        0,
        1,
        1,
        1,
    ]
    assert both.x_test[:, 0, 0, 0].tolist() == [54, 55, 154, 155] and both.y_test.tolist() == [0, 0, 1, 1]
    with pytest.warns(UserWarning):
        assert objects.cats_dogs(size=8, n_train=20, n_test=2).x_test[:, 0, 0, 0].tolist() == [61, 161]
    assert "has 11 pictures of the kind Cat" in one_sentence(lambda: objects.cats_dogs(8, 22, 2))
    assert "must be even and at least 2" in one_sentence(lambda: objects.cats_dogs(8, 5, 2))


# --- data of one's own --------------------------------------------------------------------------------
def test_any_npz_in_the_folder_is_a_domain(folder):
    x, y = noise(4, 9, 9), np.array([0, 1, 2, 1], np.int32)
    np.savez(folder / "mine.npz", x_train=x, y_train=y, x_test=x, y_test=y.astype(np.uint8))
    mine = data.load("mine")
    assert mine.name == "mine" and mine.image_shape == (9, 9, 1) and mine.y_test.dtype == np.int64
    features = RNG.normal(size=(4, 3)).astype(np.float32)
    np.savez_compressed(folder / "features.npz", x_train=features, y_train=y, x_test=features, y_test=y)
    assert data.load("features").image_shape == (3,)
    sentence = one_sentence(lambda: data.load("other"))
    assert sentence.startswith("no domain is called 'other'") and "mine" in sentence and "features" in sentence


def test_a_bad_npz_gives_one_sentence_and_is_never_unpickled(folder):
    x, y = noise(4, 9, 9, 1), np.array([0, 1, 2, 1])
    np.savez(folder / "few.npz", x_train=x, y_train=y)
    assert "x_test, y_test is missing" in one_sentence(lambda: data.load("few"))
    harm = folder / "harm"

    class Bomb:
        def __reduce__(self):
            return (harm.write_text, ("it ran",))

    np.savez(folder / "bomb.npz", x_train=np.array([Bomb()]), y_train=y, x_test=x, y_test=y)
    assert "cannot be read as a domain" in one_sentence(lambda: data.load("bomb")) and not harm.exists()
    for content in (b"nothing", zipped({"x_train.npy": b"no array"}), (folder / "few.npz").read_bytes()[:-40]):
        put(folder / "bad.npz", content)
        assert "cannot be read as a domain" in one_sentence(lambda: data.load("bad"))
    np.savez(folder / "float.npz", x_train=x / 255, y_train=y, x_test=x / 255, y_test=y)
    assert "values lie from 0 to 1" in one_sentence(lambda: data.load("float"))


def test_a_name_is_no_path(folder, tmp_path):
    np.savez(tmp_path.parent / "outside.npz", x_train=noise(4, 3, 3), y_train=[0, 1, 0, 1])
    assert "no domain is called" in one_sentence(lambda: data.load("../outside"))


def test_the_data_folder_is_the_environments_or_the_users_cache(monkeypatch):
    monkeypatch.setenv("DTLBOOK_DATA", "~/somewhere")
    assert data.data_folder() == Path.home() / "somewhere"
    monkeypatch.setenv("DTLBOOK_DATA", "")
    assert data.data_folder().name == "dtlbook"
    monkeypatch.delenv("DTLBOOK_DATA")
    assert data.data_folder().is_absolute()


def test_every_pair_names_two_known_domains():
    for name, both in data.PAIRS.items():
        assert len(both) == 2 and set(both) <= set(data.DOMAINS), name
