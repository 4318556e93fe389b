-- How many of the lines as read are hits: golpes.sql keeps the same.
select count(*) as sanas
from crudos
inner join horas on crudos.hora = horas.hora
where sana(crudos.direccion, crudos.estado, crudos.bytes)
