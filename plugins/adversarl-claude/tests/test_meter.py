import io
from base64 import b64decode

import numpy as np
import pytest
from adversarl_claude.frames import blocks, png
from adversarl_claude.meter import Meter, Usage, cost_usd, worst_case_usd
from adversarl_claude.prices import PRICES, price_of
from anthropic.types.model import Model
from PIL import Image


def request(**more):
    return {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [], **more}


def test_the_cache_costs_a_quarter_more_to_write_and_a_tenth_to_read():
    price = price_of("claude-sonnet-5", {})
    assert cost_usd(Usage(input=1_000_000), price) == 2.0
    assert cost_usd(Usage(cache_write=1_000_000), price) == 2.5
    assert cost_usd(Usage(cache_read=1_000_000), price) == pytest.approx(0.2)
    assert cost_usd(Usage(output=1_000_000), price) == 10.0


def test_a_date_at_the_end_of_a_name_does_not_matter_but_a_version_does():
    assert price_of("claude-haiku-4-5-20251001", {}) == PRICES["claude-haiku-4-5"]
    with pytest.raises(ValueError, match="Did you mean 'claude-sonnet-5-5'"):
        price_of("claude-sonnet-5-6", {})


def test_prices_of_the_recipe_replace_those_of_the_list():
    price = price_of("claude-sonnet-5-5", {"input": 1.0, "read_factor": 0.5})
    assert (price.input, price.output, price.read_factor, price.write_factor) == (1.0, 10, 0.5, 1.25)


def test_every_listed_model_is_one_that_the_sdk_knows():
    assert set(PRICES) <= set(Model.__args__[0].__args__)


def test_the_worst_case_counts_all_output_and_more_input_than_there_is():
    price = price_of("claude-sonnet-5-5", {})
    empty = worst_case_usd(request(), price)
    assert empty >= (1000 * price.output + 1000 * price.input * 1.25) / 1e6
    text = worst_case_usd(request(messages=[{"role": "user", "content": "word " * 3000}]), price)
    assert text - empty >= 3000 * price.input * 1.25 / 1e6


def test_a_picture_counts_by_its_pixels_and_not_by_its_bytes():
    noise = np.random.default_rng(0).integers(0, 255, (512, 512, 3)).astype(np.uint8)
    price = price_of("claude-sonnet-5-5", {})
    content = blocks("a picture", png(noise))
    extra = worst_case_usd(request(messages=[{"role": "user", "content": content}]), price)
    tokens = 1e6 * (extra - worst_case_usd(request(), price)) / (1.25 * price.input)
    assert 512 * 512 / 750 <= tokens <= 512 * 512 / 750 + 200


def test_a_call_that_may_have_been_billed_counts_against_the_budget():
    price, asked = price_of("claude-sonnet-5-5", {}), request()
    each = worst_case_usd(asked, price)
    meter = Meter(price, max_cost_usd=4.5 * each)
    meter.fail()
    assert [meter.attempts(asked, 0.0, most) for most in (3, 9)] == [3, 4]
    meter.lose(asked, 2)
    assert meter.attempts(asked, each, 9) == 1
    meter.interrupted_usd = each
    assert meter.attempts(asked, each, 9) == 0
    assert meter.cost_usd == 0


def test_what_costs_nothing_always_fits():
    meter = Meter(price_of("own", {"input": 0.0, "output": 0.0}), max_cost_usd=0.01)
    assert meter.attempts(request(), 0.0, 5) == 5


def test_what_an_answer_calls_a_picture_is_text():
    said = [{"type": "tool_use", "id": "1", "name": "x", "input": {"type": "image"}}, {"type": "image"}]
    price = price_of("claude-sonnet-5-5", {})
    assert worst_case_usd(request(messages=[{"role": "assistant", "content": said}]), price) > 0


def test_small_pictures_are_enlarged_by_a_whole_factor():
    frame = np.zeros((84, 96, 3), dtype=np.uint8)
    frame[0, 0] = 255
    picture = np.asarray(Image.open(io.BytesIO(b64decode(png(frame)))))
    assert picture.shape == (336, 384, 3)
    assert (picture[:4, :4] == 255).all()
    assert picture.sum() == 255 * 3 * 16
