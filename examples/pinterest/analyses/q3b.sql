-- In which country is the one with most followers of all?
WITH pins AS (
    SELECT DISTINCT ind, unique_id, title, description, CAST(follower_count AS BIGINT) AS follower_count, poster_name,
        tag_list, is_image_or_video, image_src, save_location, category, downloaded
    FROM pin),
places AS (
    SELECT DISTINCT ind, country, CAST(coordinates AS TEXT) AS coordinates, "timestamp",
        CAST(substr("timestamp", 1, 4) AS INTEGER) AS post_year
    FROM geo),
ranked AS (
    SELECT country, poster_name, follower_count,
        RANK() OVER (PARTITION BY country ORDER BY follower_count DESC NULLS LAST) AS place
    FROM pins JOIN places ON pins.ind = places.ind),
most AS (
    SELECT country, poster_name, MAX(follower_count) AS follower_count
    FROM ranked WHERE place = 1
    GROUP BY country, poster_name)
SELECT country, follower_count FROM most WHERE follower_count IS NOT NULL
ORDER BY follower_count DESC, country LIMIT 1
