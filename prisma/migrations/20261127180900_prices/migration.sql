-- Written by hand: prices only.

-- What ElevenLabs charges for is credits, of which flash takes half of one a character: a credit costs the same with every model.
-- The row before was a price of a character, by which credits were halved a second time.
INSERT INTO "price" ("provider", "model", "unit", "valid_from", "micro_usd", "source") VALUES
  ('elevenlabs', 'eleven_flash_v2_5', 'character', '2026-11-27T00:00:00Z', 100, 'a credit, pay as you go, 2026-05; flash v2.5 takes half of one a character');

-- The other model of pictures, which was priced as if it wrote text.
INSERT INTO "price" ("provider", "model", "unit", "valid_from", "micro_usd", "source") VALUES
  ('gemini', 'gemini-3-pro-image', 'image', '2026-01-01T00:00:00Z', 134000, 'ai.google.dev pricing, 3 Pro Image, 1K or 2K image, read 2026-10-07'),
  ('gemini', 'gemini-3-pro-image', 'output_token', '2026-01-01T00:00:00Z', 0, 'counted by the image');
