# La CDN (INE-II-a-i-1). Guarda lo inmutable un año; lo demás, lo que diga cada objeto, hasta que se purga.
locals {
  # Un depósito privado dice 403 de lo que no tiene. Si falla, vale lo guardado. Ninguna negativa se guarda más que unos segundos.
  errores = {
    403 = { codigo = 404, pagina = "/404.html", segundos = 5 }
    404 = { codigo = 404, pagina = "/404.html", segundos = 5 }
    500 = { codigo = null, pagina = null, segundos = 1 }
    502 = { codigo = null, pagina = null, segundos = 1 }
    503 = { codigo = null, pagina = null, segundos = 1 }
    504 = { codigo = null, pagina = null, segundos = 1 }
  }
}

resource "aws_cloudfront_origin_access_control" "cdn" {
  name                              = "${var.nombre}-${var.region}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_cache_policy" "inmutable" {
  name        = "${var.nombre}-${var.region}-inmutable"
  min_ttl     = 0
  default_ttl = var.inmutable_segundos
  max_ttl     = 31536000

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = var.comprime
    enable_accept_encoding_brotli = var.comprime

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_cache_policy" "mudable" {
  name        = "${var.nombre}-${var.region}-mudable"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 86400

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_gzip   = var.comprime
    enable_accept_encoding_brotli = var.comprime

    cookies_config {
      cookie_behavior = "none"
    }

    headers_config {
      header_behavior = "none"
    }

    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "cdn" {
  name = "${var.nombre}-${var.region}"

  security_headers_config {
    content_security_policy {
      content_security_policy = var.csp
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "strict-origin-when-cross-origin"
      override        = true
    }

    dynamic "strict_transport_security" {
      for_each = var.hsts_segundos == 0 ? [] : [var.hsts_segundos]

      content {
        access_control_max_age_sec = strict_transport_security.value
        include_subdomains         = false
        preload                    = false
        override                   = true
      }
    }
  }

  custom_headers_config {
    items {
      header   = "Access-Control-Allow-Origin"
      value    = "*"
      override = true
    }

    dynamic "items" {
      for_each = var.indexable ? [] : ["noindex"]

      content {
        header   = "X-Robots-Tag"
        value    = items.value
        override = true
      }
    }
  }

  remove_headers_config {
    items {
      header = "Server"
    }

    items {
      header = "Last-Modified"
    }

    items {
      header = "x-amz-version-id"
    }
  }
}

# S3 no abre «gub/index.html» cuando se pide «gub/»; y lo privado no se pide. No es Lambda: corre en la orilla.
resource "aws_cloudfront_function" "indices" {
  name    = "${var.nombre}-${var.region}-indices"
  runtime = "cloudfront-js-2.0"
  comment = "Portada de cada carpeta"
  publish = true
  code    = file("${path.module}/indices.js")
}

resource "aws_cloudfront_distribution" "cdn" {
  comment             = "${var.nombre}: PREP"
  enabled             = true
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = "PriceClass_100"
  default_root_object = "index.html"
  aliases             = var.nombres
  web_acl_id          = var.web_acl_arn == "" ? null : var.web_acl_arn

  viewer_certificate {
    acm_certificate_arn      = var.certificado_arn
    minimum_protocol_version = var.tls_minimo
    ssl_support_method       = "sni-only"
  }

  dynamic "logging_config" {
    for_each = var.bitacora_cdn ? ["cdn/"] : []

    content {
      bucket          = aws_s3_bucket.bitacoras.bucket_regional_domain_name
      prefix          = logging_config.value
      include_cookies = false
    }
  }

  origin {
    origin_id                = "deposito"
    domain_name              = aws_s3_bucket.publicado.bucket_regional_domain_name
    origin_path              = var.camino
    origin_access_control_id = aws_cloudfront_origin_access_control.cdn.id
    connection_attempts      = 3
    connection_timeout       = 5

    # Las orillas preguntan a una sola: el depósito no depende de cuántos visitan.
    dynamic "origin_shield" {
      for_each = var.escudo_region == "" ? [] : [var.escudo_region]

      content {
        enabled              = true
        origin_shield_region = origin_shield.value
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = "deposito"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = var.comprime
    cache_policy_id            = aws_cloudfront_cache_policy.mudable.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.cdn.id

    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.indices.arn
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = ["/datos/*", "/assets/*"]

    content {
      path_pattern               = ordered_cache_behavior.value
      target_origin_id           = "deposito"
      viewer_protocol_policy     = "redirect-to-https"
      allowed_methods            = ["GET", "HEAD"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = var.comprime
      cache_policy_id            = aws_cloudfront_cache_policy.inmutable.id
      response_headers_policy_id = aws_cloudfront_response_headers_policy.cdn.id
    }
  }

  dynamic "custom_error_response" {
    for_each = local.errores

    content {
      error_code            = tonumber(custom_error_response.key)
      response_code         = custom_error_response.value.codigo
      response_page_path    = custom_error_response.value.pagina
      error_caching_min_ttl = custom_error_response.value.segundos
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  depends_on = [aws_s3_bucket_ownership_controls.bitacoras]
}
