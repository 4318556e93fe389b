-- Captured rows with a cell that is neither a count nor a known marker.
select actas.lugar from actas
inner join crudo on actas.lugar = crudo.rowid
where actas.signo = 1 and actas.estado in ('contabilizada', 'no_contabilizada') and (
    crudo.lista_nominal in (select texto from celdas where desconocida = 1)
    or crudo.$voto in (select texto from celdas where desconocida = 1)
)
order by actas.lugar
