"""An analysis as tables, as the report's model, as an explanation, and the record of what it rests on."""
