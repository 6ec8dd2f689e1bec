-- How many users joined in each year from 2015 to 2020?
WITH people AS (
    SELECT DISTINCT ind, user_name, CAST(age AS BIGINT) AS age, date_joined,
        CAST(substr(date_joined, 1, 4) AS INTEGER) AS join_year,
        CASE WHEN CAST(age AS BIGINT) BETWEEN 18 AND 24 THEN '18-24' WHEN CAST(age AS BIGINT) BETWEEN 25 AND 35 THEN '25-35'
             WHEN CAST(age AS BIGINT) BETWEEN 36 AND 50 THEN '36-50' ELSE '50+' END AS age_group
    FROM users)
SELECT join_year AS post_year, COUNT(*) AS number_users_joined
FROM people
WHERE join_year BETWEEN 2015 AND 2020
GROUP BY join_year
ORDER BY post_year
