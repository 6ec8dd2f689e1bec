-- How many posts had each category in each year from 2018 to 2022?
WITH pins AS (
    SELECT DISTINCT ind, unique_id, title, description, CAST(follower_count AS BIGINT) AS follower_count, poster_name,
        tag_list, is_image_or_video, image_src, save_location, category, downloaded
    FROM pin),
places AS (
    SELECT DISTINCT ind, country, CAST(coordinates AS TEXT) AS coordinates, "timestamp",
        CAST(substr("timestamp", 1, 4) AS INTEGER) AS post_year
    FROM geo)
SELECT post_year, category, COUNT(*) AS category_count
FROM pins JOIN places ON pins.ind = places.ind
WHERE post_year BETWEEN 2018 AND 2022
GROUP BY post_year, category
ORDER BY post_year DESC, category_count DESC, category
