from fruits_pipeline.recipes import differences, extend


def test_a_recipe_keeps_what_came_before_and_names_its_stage() -> None:
    before = {"preprocess.short_side": 256}
    after = extend(before, "featurize", {"fit": "pad", "backbone": "abc"})
    assert after == {
        "preprocess.short_side": 256,
        "featurize.fit": "pad",
        "featurize.backbone": "abc",
    }
    assert before == {"preprocess.short_side": 256}


def test_equal_recipes_do_not_differ_whatever_their_order() -> None:
    assert differences({"a": 1, "b": [2]}, {"b": [2], "a": 1}) == []


def test_differences_are_said_in_words_by_name() -> None:
    old = {"b.size": 1, "a.fit": "pad", "c.same": 0, "d.gone": None}
    new = {"b.size": 2, "a.fit": "crop", "c.same": 0, "e.new": "x"}
    assert differences(old, new) == [
        "a.fit was 'pad', is 'crop'",
        "b.size was 1, is 2",
        "d.gone was None, is 'not set'",
        "e.new was 'not set', is 'x'",
    ]
