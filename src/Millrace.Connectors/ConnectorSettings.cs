using Millrace.Connectors.AsyncApi;
using Millrace.Connectors.Catalog;
using Millrace.Connectors.Containers;
using Millrace.Connectors.Events;
using Millrace.Connectors.Grpc;
using Millrace.Connectors.Http;
using Millrace.Connectors.OpenApi;
using Millrace.Connectors.Processes;
using Millrace.Connectors.Rpc;

namespace Millrace.Connectors;

/// <summary>Limits and permissions of all functions of this project.</summary>
public sealed record ConnectorSettings
{
    public HttpSettings Http { get; init; } = new();
    public OpenApiSettings OpenApi { get; init; } = new();
    public ProcessSettings Process { get; init; } = new();
    public EventSettings Events { get; init; } = new();
    public AsyncApiSettings AsyncApi { get; init; } = new();
    public GrpcSettings Grpc { get; init; } = new();
    public ContainerSettings Container { get; init; } = new();
    public RpcSettings Rpc { get; init; } = new();
    public CatalogSettings Catalog { get; init; } = new();
}
