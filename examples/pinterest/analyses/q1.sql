-- Which category is posted most in each country? Categories that tie are all given.
WITH pins AS (
    SELECT DISTINCT ind, unique_id, title, description, CAST(follower_count AS BIGINT) AS follower_count, poster_name,
        tag_list, is_image_or_video, image_src, save_location, category, downloaded
    FROM pin),
places AS (
    SELECT DISTINCT ind, country, CAST(coordinates AS TEXT) AS coordinates, "timestamp",
        CAST(substr("timestamp", 1, 4) AS INTEGER) AS post_year
    FROM geo),
counted AS (
    SELECT country, category, COUNT(*) AS category_count,
        RANK() OVER (PARTITION BY country ORDER BY COUNT(*) DESC) AS place
    FROM pins JOIN places ON pins.ind = places.ind
    GROUP BY country, category)
SELECT country, category, category_count FROM counted WHERE place = 1
ORDER BY category_count DESC, country, category
