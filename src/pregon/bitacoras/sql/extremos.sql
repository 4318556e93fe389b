-- First and last hit of each site and window, in seconds; ventana 0: of none.
select
    sitio,
    ventana,
    min(momento) as desde,
    max(momento) as hasta,
    count(*) as hits,
    cast(sum(bytes) as bigint) as bytes
from golpes
group by sitio, ventana
