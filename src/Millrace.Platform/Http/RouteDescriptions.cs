using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Millrace.Platform.Http;

/// <summary>What routes say of themselves in the OpenAPI document beyond their types.</summary>
internal static class RouteDescriptions
{
    /// <summary>Statuses that are answered with a problem document.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder route, params ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses) route.Produces<ProblemBody>(status, "application/problem+json");
        return route;
    }

    public static RouteHandlerBuilder Paged(this RouteHandlerBuilder route) => route
        .Query("cursor", "The value of \"next\" of the page before.")
        .Query("limit", $"Items at most, 1 to {QueryReader.LimitMax}; {QueryReader.LimitDefault} unless told.");

    /// <summary>A query parameter that the handler reads itself.</summary>
    public static RouteHandlerBuilder Query(this RouteHandlerBuilder route, string name, string description, bool repeated = false) =>
        Parameter(route, name, ParameterLocation.Query, description, repeated);

    public static RouteHandlerBuilder Header(this RouteHandlerBuilder route, string name, string description) =>
        Parameter(route, name, ParameterLocation.Header, description, repeated: false);

    /// <summary>A body that is the document itself.</summary>
    public static RouteHandlerBuilder TakesDocument(this RouteHandlerBuilder route) => route.Accepts<string>("application/yaml", "text/plain", "application/json");

    private static RouteHandlerBuilder Parameter(RouteHandlerBuilder route, string name, ParameterLocation place, string description, bool repeated) =>
        route.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            IOpenApiSchema text = new OpenApiSchema { Type = JsonSchemaType.String };
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = place,
                Description = description,
                Required = false,
                Schema = repeated ? new OpenApiSchema { Type = JsonSchemaType.Array, Items = text } : text,
            });
            return Task.CompletedTask;
        });
}
