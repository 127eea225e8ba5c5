"""The demonstration: the whole pilot of 2019 played through the services a user's click calls, under a shifted clock.

Everything in it is invented and marked 示例. ``script`` says what happens when; ``world`` finds the people and cases;
``build`` plays the script up to a stage.
"""
