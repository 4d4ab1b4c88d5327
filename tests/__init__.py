"""The tests, in folders by the floor of the library that they are about."""
