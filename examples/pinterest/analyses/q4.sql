-- Which category is posted most by each age group? Categories that tie are all given.
WITH pins AS (
    SELECT DISTINCT ind, unique_id, title, description, CAST(follower_count AS BIGINT) AS follower_count, poster_name,
        tag_list, is_image_or_video, image_src, save_location, category, downloaded
    FROM pin),
people AS (
    SELECT DISTINCT ind, user_name, CAST(age AS BIGINT) AS age, date_joined,
        CAST(substr(date_joined, 1, 4) AS INTEGER) AS join_year,
        CASE WHEN CAST(age AS BIGINT) BETWEEN 18 AND 24 THEN '18-24' WHEN CAST(age AS BIGINT) BETWEEN 25 AND 35 THEN '25-35'
             WHEN CAST(age AS BIGINT) BETWEEN 36 AND 50 THEN '36-50' ELSE '50+' END AS age_group
    FROM users),
counted AS (
    SELECT age_group, category, COUNT(*) AS category_count,
        RANK() OVER (PARTITION BY age_group ORDER BY COUNT(*) DESC) AS place
    FROM pins JOIN people ON pins.ind = people.ind
    GROUP BY age_group, category)
SELECT age_group, category, category_count FROM counted WHERE place = 1
ORDER BY category_count DESC, age_group, category
