import numpy as np
import pytest


@pytest.fixture(scope="module")
def encoder(small):
    from adversarl_clip.encoder import Encoder

    return Encoder(small.options())


@pytest.mark.parametrize("resize", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize(("shape", "size"), [((84, 84), 64), ((84, 84), 224), ((60, 90), 64), ((90, 61), (48, 40))])
def test_tensors_are_prepared_as_open_clip_prepares_pictures(open_clip, resize, interpolation, shape, size):
    import torch
    from adversarl_clip.preprocess import Preprocess
    from open_clip.transform import PreprocessCfg, image_transform_v2
    from PIL import Image

    keys = {"size": size, "interpolation": interpolation, "resize_mode": resize, "fill_color": 0}
    configuration = {"mode": "RGB", "mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.3), **keys}
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]]
    smooth = np.stack([rows * 2, columns * 2, (rows // 8 + columns // 8) % 2 * 200], axis=-1).astype(np.uint8)
    theirs = image_transform_v2(PreprocessCfg(**configuration), is_train=False)(Image.fromarray(smooth))
    ours = Preprocess(configuration)(torch.from_numpy(smooth[None]))[0]
    assert ours.shape == theirs.shape
    deviation = torch.tensor(configuration["std"]).view(3, 1, 1)
    assert float(((ours - theirs) * deviation).abs().max()) <= 1.01 / 255


def test_rendered_frames_have_the_vectors_that_open_clip_gives_them(open_clip, small, encoder, held_out):
    import torch
    from PIL import Image

    open_clip.add_model_config(small.keys["model"])
    model, _, prepare = open_clip.create_model_and_transforms("small", pretrained=small.keys["pretrained"])
    model.eval()
    some = held_out.frames[::10]
    with torch.no_grad():
        theirs = model.encode_image(torch.stack([prepare(Image.fromarray(frame)) for frame in some]), normalize=True)
    cosines = (encoder.images(some) * theirs.numpy()).sum(axis=1)
    assert cosines.min() > 0.999


def test_vectors_have_length_one_and_do_not_depend_on_the_batch(small, encoder, held_out):
    from adversarl_clip.encoder import Encoder

    some = held_out.frames[:20]
    together = encoder.images(some)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1)
    assert together.shape == (20, 64)
    np.testing.assert_allclose(Encoder(small.options(batch_size=7)).images(some), together, atol=1e-5)
    np.testing.assert_array_equal(encoder.images(some), together)


def test_loading_and_judging_leave_torch_as_it_was(small, held_out):
    import torch
    from adversarl_clip.encoder import Encoder

    torch.manual_seed(7)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    encoder = Encoder(small.options(threads=2))
    encoder.images(held_out.frames[:3])
    encoder.texts(["a red cube"])
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_a_fingerprint_is_of_the_weights_and_of_the_preprocessing(small, encoder, tmp_path):
    from adversarl_clip.encoder import Encoder
    from safetensors.torch import load_file, save_file

    assert Encoder(small.options(batch_size=3)).fingerprint == encoder.fingerprint
    weights = load_file(small.keys["pretrained"])
    for name, other in (("visual.conv1.weight", False), ("logit_scale", True)):
        path = tmp_path / f"{name}.safetensors"
        save_file({**weights, name: weights[name] * 1.01}, path)
        assert (Encoder(small.options(pretrained=str(path))).fingerprint == encoder.fingerprint) is other


def test_preprocessing_follows_the_tags_of_a_model_where_weights_come_from_a_file(open_clip):
    from adversarl_clip.weights import _agreed

    assert _agreed(open_clip, "ViT-B-16-SigLIP")["mean"] == (0.5, 0.5, 0.5)
    assert _agreed(open_clip, "MobileCLIP2-S0")["std"] == (1.0, 1.0, 1.0)
    assert _agreed(open_clip, "ViT-L-14") == {}


def test_the_root_logger_gets_no_handler(small):
    import logging

    from adversarl_clip.encoder import Encoder

    before = list(logging.getLogger().handlers)
    Encoder(small.options())
    assert logging.getLogger().handlers == before
