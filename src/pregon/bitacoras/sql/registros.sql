-- Visitors of each class -> the registers of a HyperLogLog of 2^16: the first 16 bits of the 60 of each hash
-- say which register; the place of the first one among the other 44 is its value, the greatest of all stays (45: none).
select
    sitio,
    ventana,
    clase,
    periodo(visitante, 17592186044416) as registro,
    max(case
        when visitante % 17592186044416 = 0 then 45
        else 45 - length(bin(visitante % 17592186044416))
    end) as rango
from $tabla
group by sitio, ventana, clase, periodo(visitante, 17592186044416)
