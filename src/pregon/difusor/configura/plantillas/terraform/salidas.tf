output "deposito" {
  description = "Para [[nube]] de difusor.toml."
  value       = "s3://${aws_s3_bucket.publicado.bucket}${var.camino}"
}

output "distribucion" {
  description = "Para [nube.purga] de difusor.toml."
  value       = aws_cloudfront_distribution.cdn.id
}

output "nombre_cdn" {
  description = "A donde llevan, por CNAME o alias, los nombres públicos."
  value       = aws_cloudfront_distribution.cdn.domain_name
}

output "equipo" {
  description = "Se entra con aws ssm start-session."
  value       = aws_instance.equipo.id
}

output "privado" {
  description = "Los nombres del enlace privado; vacío si no lo hay."
  value       = flatten(aws_vpc_endpoint.privado[*].dns_entry)
}
