-- The sums of each sección of each unit, as one text of numbers: esperadas, capturadas, contabilizadas, lista nominal,
-- total, then each vote column. Those of no unit (actas fuera de catálogo) are left out.
select
    unidad,
    seccion,
    concat_ws(','
        , sum(esperadas)
        , sum(capturadas)
        , sum(contabilizadas)
        , sum(lista_nominal)
        , sum(total_votos)
        , sum($voto)
    ) as sumas
from por_seccion
where unidad <> ''
group by unidad, seccion
order by unidad, seccion
