"""The console and the widget in a real browser, over the whole product."""
