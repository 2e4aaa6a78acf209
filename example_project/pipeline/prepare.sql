-- One row for each scheduled flight, with what is known before it leaves: the schedule, the route, the aircraft,
-- how busy the airport is planned to be, and the weather of the hour. Columns that exist only after the flight
-- (dep_time, dep_delay, arr_time, arr_delay, air_time) are used for the target alone.
WITH
schedule AS (
    SELECT
        *,
        sched_dep_time // 100 AS hour,
        sched_dep_time // 100 * 60 + sched_dep_time % 100 AS departure_minute,
        sched_arr_time // 100 * 60 + sched_arr_time % 100 AS arrival_minute
    FROM flights
),

-- Bad weather delays the flights after it, so the last six hours count too.
conditions AS (
    SELECT
        *,
        sum(precip) OVER last_hours AS precip_6h,
        min(visib) OVER last_hours AS visib_6h,
        max(wind_gust) OVER last_hours AS wind_gust_6h
    FROM weather
    WINDOW last_hours AS (
        PARTITION BY origin ORDER BY time_hour RANGE BETWEEN INTERVAL 5 HOURS PRECEDING AND CURRENT ROW
    )
),

-- DuckDB may read NA in a CSV file as text: TRY_CAST turns it into a missing value either way.
aircraft AS (
    SELECT
        tailnum,
        TRY_CAST(year AS INTEGER) AS built,
        TRY_CAST(seats AS DOUBLE) AS seats,
        NULLIF(manufacturer, 'NA') AS manufacturer
    FROM planes
)

SELECT
    -- which flight: its key, when it leaves, and the day that is held out or trained on as a whole
    concat_ws('/', make_date(f.year, f.month, f.day), f.carrier, f.flight, f.origin) AS flight_id,
    f.time_hour,
    f.month,
    f.day,

    -- schedule and route
    f.carrier,
    f.origin,
    f.dest,
    f.distance,
    f.departure_minute,
    f.arrival_minute,
    isodow(make_date(f.year, f.month, f.day)) AS weekday,

    -- how busy it will be
    count(*) OVER (PARTITION BY f.origin, f.year, f.month, f.day, f.hour) AS departures_in_hour,
    count(*) OVER (PARTITION BY f.origin, f.year, f.month, f.day) AS departures_in_day,
    count(f.tailnum) OVER (
        PARTITION BY f.tailnum, f.year, f.month, f.day
        ORDER BY f.departure_minute
        RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS earlier_legs,

    -- the aircraft
    CAST(f.year - p.built AS DOUBLE) AS plane_age,
    p.seats,
    p.manufacturer,

    -- the weather at the airport in the hour of departure
    w.temp,
    w.dewp,
    w.humid,
    CAST(w.wind_dir AS DOUBLE) AS wind_dir,
    w.wind_speed,
    w.wind_gust,
    w.precip,
    w.pressure,
    w.visib,
    w.precip_6h,
    w.visib_6h,
    w.wind_gust_6h,

    -- NULL where the flight was cancelled or diverted
    f.arr_delay > 15 AS late
FROM schedule AS f
LEFT JOIN conditions AS w
    ON w.origin = f.origin AND w.year = f.year AND w.month = f.month AND w.day = f.day AND w.hour = f.hour
LEFT JOIN aircraft AS p ON p.tailnum = f.tailnum
