-- Written by hand: prices only.

-- A picture of a model that has no row is priced like one of a known model: a budget must not take it for free.
INSERT INTO "price" ("provider", "model", "unit", "valid_from", "micro_usd", "source") VALUES
  ('gemini', '*', 'image', '2026-01-01T00:00:00Z', 67000, 'as gemini-3.1-flash-image, for models without a row');
