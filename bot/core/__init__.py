"""DECIDING. Pure: values and `now` in, values out. No clock, no store, no Slack."""
