"""The attack on the levels of a row's candidates names people, and nobody where they say nothing."""

from benchmarks import candidate_patterns


def test_what_candidates_look_like_names_people_and_dealt_out_at_random_it_names_nobody():
    """Of 150 anchors and 300 rows a third and a quarter or more; by chance 1, of whom the best of 12 rounds makes 5."""
    named = candidate_patterns.report(300, 2, 20)["named"]
    for side in candidate_patterns.SIDES:
        assert named["levels and rarity, 0 known"][side]["all"] > 0.15
        assert named["levels and rarity, 20 known"][side]["all"] > 0.15
        assert named["dealt out at random, 0 known"][side]["all"] < 0.1
        assert named["dealt out at random, 20 known"][side]["all"] < 0.1
