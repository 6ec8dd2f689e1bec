-- How many followers has the median poster of each age group?
-- Median: exact, half-way between the two in the middle.
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
ranked AS (
    SELECT age_group, follower_count,
        ROW_NUMBER() OVER (PARTITION BY age_group ORDER BY follower_count IS NULL, follower_count) AS n,
        COUNT(follower_count) OVER (PARTITION BY age_group) AS total
    FROM pins JOIN people ON pins.ind = people.ind)
SELECT age_group,
    AVG(CASE WHEN n IN ((total + 1) / 2, (total + 2) / 2) THEN CAST(follower_count AS DOUBLE PRECISION) END)
        AS median_follower_count
FROM ranked
GROUP BY age_group
ORDER BY median_follower_count DESC NULLS LAST, age_group
