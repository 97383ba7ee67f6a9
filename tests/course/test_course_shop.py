"""The little shop of the lessons: its rows, and a client that goes through the front door."""

from orderlab.cloud import Cloud
from orderlab.course.shop import GOODS, on_hand, open_shop, place, status


def test_the_shop_opens_orders_are_placed_and_stock_goes_down() -> None:
    """What the functions return is what the tables and the API say."""
    with Cloud(seed=3) as cloud:
        opening = open_shop(cloud)
        assert opening == on_hand(cloud) == {sku: units for sku, (_, _, units) in sorted(GOODS.items())}
        answer = place(cloud, "k", {"mug": 2, "clock": 1}, customer="C-9")
        assert answer.status == 202 and answer.json()["total"] == 2 * GOODS["mug"][1] + GOODS["clock"][1]
        assert status(cloud, answer.json()["orderId"]) == "PENDING"
        cloud.run()
        assert status(cloud, answer.json()["orderId"]) == "CONFIRMED"
        assert on_hand(cloud) == {**opening, "mug": opening["mug"] - 2, "clock": opening["clock"] - 1}
        assert place(cloud, "k2", {"mug": 0}).status == 400
